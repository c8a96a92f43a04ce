"""The tables of SQL, YAML, TOML, JSON, Markdown, HTML and CSS."""

from tree_sitter import Node

from codeintel_ls.index.chunking.rules import (
    Finder,
    Found,
    Rules,
    first_child,
    plain_name,
    text_of,
    types,
)


def _created(kind: str) -> Finder:
    """Find what an SQL `CREATE` statement creates."""

    def find(node: Node) -> Found | None:
        name = node.child_by_field_name("column") if node.type == "create_index" else None
        name = name or first_child(node, "object_reference", "identifier")
        return Found(plain_name(name).replace('"', "").replace("`", ""), kind) if name else None

    return find


def _key(node: Node) -> Found | None:
    key = node.child_by_field_name("key")
    return Found(text_of(key).strip("'\""), "key") if key is not None else None


def _toml_key(node: Node) -> Found | None:
    key = next(iter(node.named_children), None)
    return Found(text_of(key).strip("'\""), "key") if key is not None else None


def _section(node: Node) -> Found | None:
    heading = first_child(node, "atx_heading", "setext_heading")
    content = heading.child_by_field_name("heading_content") if heading is not None else None
    title = text_of(content).strip().rstrip("#").strip() if content is not None else ""
    return Found(title, "string") if title else None


SQL = Rules(
    definitions={
        "create_table": _created("struct"),
        "create_view": _created("struct"),
        "create_materialized_view": _created("struct"),
        "create_type": _created("class"),
        "create_function": _created("function"),
        "create_procedure": _created("function"),
        "create_trigger": _created("function"),
        "create_index": _created("key"),
    },
    blocks=types("transaction block ERROR"),
    wrappers=types("statement"),
    comments=("--", "/*"),
)
YAML = Rules(
    definitions={"block_mapping_pair": _key},
    blocks=types("document block_node block_mapping ERROR"),
    comments=("#",),
)
TOML = Rules(
    definitions={"pair": _toml_key, "table": _toml_key, "table_array_element": _toml_key},
    comments=("#",),
)
JSON = Rules(definitions={"pair": _key}, blocks=types("object ERROR"))
MARKDOWN = Rules(
    definitions={"section": _section},
    blocks=types("section ERROR"),
    comments=(),
    separator=" > ",
)
HTML = Rules(definitions={}, blocks=types("element ERROR"), comments=("<!--",))
CSS = Rules(definitions={}, blocks=types("ERROR"), comments=("/*",))
