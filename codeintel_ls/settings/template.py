"""Text templates of settings: `{author}, {date}`; `{{` and `}}` stand for the braces themselves.

The syntax is that of Python's format strings without conversions and format specifications.
Invariant: nothing but the named values gets into a text; no attribute or index is looked up.
"""

from collections.abc import Collection, Iterator, Mapping
from string import Formatter
from typing import Final

COMMIT_PLACEHOLDERS: Final = ("author", "email", "date", "summary", "id")
"""What a template for a commit may name."""


def template_problem(template: str, known: Collection[str] = COMMIT_PLACEHOLDERS) -> str | None:
    """What is wrong with a template, as the end of a sentence; None where it is sound."""
    try:
        names = [name for _, name in _parts(template) if name is not None]
    except ValueError:
        return "has a brace that stands alone: write {{ or }}"
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        return f"names {{{unknown}}}, which is no placeholder"
    return None if template.strip() else "is empty"


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """The text of a sound template."""
    return "".join(
        literal + (values[name] if name is not None else "") for literal, name in _parts(template)
    )


def _parts(template: str) -> Iterator[tuple[str, str | None]]:
    """Each literal text with the placeholder behind it. Raises ValueError for a lone brace."""
    for literal, name, specification, conversion in Formatter().parse(template):
        written = name
        if name is not None and conversion is not None:
            written = f"{written}!{conversion}"
        if name is not None and specification:
            written = f"{written}:{specification}"
        yield literal, written
