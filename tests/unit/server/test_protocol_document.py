"""`editors/protocol.md` and the code say the same."""

import re
from pathlib import Path

import pytest
from lsprotocol.types import ErrorCodes, LSPErrorCodes

from codeintel_ls.daemon import connect_messages
from codeintel_ls.server import errors, history, routes
from codeintel_ls.server.client import STATUS_METHOD
from codeintel_ls.server.operations import COMMAND_PREFIX, OPERATIONS, REQUEST_PREFIX
from tests.unit.server.wire_types import field_rows, parameter_rows, result_types

DOCUMENT = (Path(__file__).parents[3] / "editors" / "protocol.md").read_text("utf-8")
OTHER_HEADINGS: set[str] = set()


def sections() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", DOCUMENT, flags=re.MULTILINE)
    found = {}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        name = heading.strip("`")
        assert name not in found, f"{name} is described twice"
        found[name] = re.split(r"^## ", text, flags=re.MULTILINE)[0]
    return found


def rows(section: str) -> list[tuple[str, str, str]]:
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    for row in cells:
        assert len(row) == 4, f"{row} must have four cells"
        assert row[3], f"{row[0]} must say what it means"
    return [(row[0].strip("`"), row[1], row[2]) for row in cells]


SECTIONS = sections()


def test_every_operation_and_type_is_described_and_nothing_else():
    described = set(SECTIONS) - OTHER_HEADINGS
    assert described == {operation.name for operation in OPERATIONS} | set(result_types())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_parameters_of_an_operation(operation):
    section = SECTIONS[operation.name]
    assert rows(section) == parameter_rows(operation.params)
    assert f"Result: [`{operation.result.__name__}`]" in section
    assert ("Shows progress." in section) == (operation.title is not None)


@pytest.mark.parametrize("name", sorted(result_types()))
def test_the_fields_of_a_type(name):
    assert rows(SECTIONS[name]) == field_rows(result_types()[name])


def test_the_names_on_the_wire_are_as_described():
    for name in (
        f"`{REQUEST_PREFIX}<operation>`",
        f"`{COMMAND_PREFIX}<operation>`",
        f"`{STATUS_METHOD}`",
        f"`{history.SCHEME}`",
    ):
        assert name in DOCUMENT


def test_every_standard_method_is_described():
    quiet = {"initialize", "shutdown", "initialized"}
    features = DOCUMENT.split("## Standard features")[1].split("## Types")[0]
    for method in {*routes._REQUESTS, *routes._NOTIFICATIONS} - quiet:
        short = method.rpartition("/")[2]
        assert f"`{method}`" in features or f"`{short}`" in features, method


def name_of_code(code: int) -> str:
    known = {int(one): one.name for kind in (ErrorCodes, LSPErrorCodes) for one in kind}
    return known[code]


def test_every_code_of_an_error_is_described():
    source = Path(errors.__file__).read_text("utf-8")
    protocol = (Path(errors.__file__).parent / "protocol.py").read_text("utf-8")
    names = {
        *re.findall(r"ErrorCodes\.(\w+)", source + protocol),
        # The daemon's room names no types of LSP.
        *(
            name_of_code(value)
            for value in vars(connect_messages).values()
            if type(value) is int and value < -32000
        ),
    }
    table = DOCUMENT.split("## Errors")[1].split("## Operations")[0]
    assert set(re.findall(r"^\| -\d+ \| (\w+)", table, flags=re.MULTILINE)) == names
