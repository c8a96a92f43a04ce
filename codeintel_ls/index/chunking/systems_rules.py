"""The tables of C, C++, Go, Rust, Java, C#, Kotlin, Swift and Scala."""

import re

from tree_sitter import Node

from codeintel_ls.index.chunking.rules import (
    Found,
    Rules,
    always,
    first_child,
    fixed,
    named,
    plain_name,
    text_of,
    types,
    with_body,
)

_DECLARED_NAMES = types(
    "identifier field_identifier type_identifier qualified_identifier operator_name"
    " destructor_name operator_cast template_function"
)
_C_NAME = re.compile(r"[\w.~]+(?: ?\boperator.{1,40})?")
_DEEPEST_DECLARATOR = 12
_TEST_MACROS = frozenset({"TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TYPED_TEST_P", "BENCHMARK_F"})


def _declared(node: Node) -> tuple[Node, Node | None] | None:
    """The name that a C declaration introduces, and its parameters when it is a function."""
    function: Node | None = None
    current = node.child_by_field_name("declarator")
    for _ in range(_DEEPEST_DECLARATOR):
        if current is None:
            return None
        if current.type in _DECLARED_NAMES:
            return current, function
        if current.type == "function_declarator":
            function = current
        inner = current.child_by_field_name("declarator")
        current = inner or next(iter(current.named_children), None)
    return None


def _c_function(node: Node) -> Found | None:
    declared = _declared(node)
    if declared is None:
        return None
    name_node, function = declared
    name = _c_name(name_node)
    if not _is_c_name(name):
        return None
    if name_node.type == "qualified_identifier":
        return Found(name, "method")
    if name in _TEST_MACROS and function is not None:
        parameters = function.child_by_field_name("parameters")
        words = [plain_name(child) for child in parameters.named_children] if parameters else []
        name = ".".join(words) or name
    return Found(name, "function")


def _c_name(node: Node) -> str:
    return plain_name(node).partition("(")[0] if node.type == "operator_cast" else plain_name(node)


def _is_c_name(name: str) -> bool:
    """What the parser takes for a name in code it cannot read is often half a class."""
    return name.startswith("operator") or _C_NAME.fullmatch(name) is not None


def _c_declaration(node: Node) -> Found | None:
    type_node = node.child_by_field_name("type")
    if type_node is not None and type_node.child_by_field_name("body") is not None:
        return Found(*_c_type(type_node, node))
    declared = _declared(node)
    name = _c_name(declared[0]) if declared is not None else ""
    if declared is None or not _is_c_name(name):
        return None
    return Found(name, "variable" if declared[1] is None else "function")


def _c_type(type_node: Node, outer: Node) -> tuple[str, str]:
    kind = {"enum_specifier": "enum", "class_specifier": "class"}.get(type_node.type, "struct")
    alias = _declared(outer)
    name = alias[0] if alias is not None else type_node.child_by_field_name("name")
    return (plain_name(name) if name is not None else kind), kind


def _c_typedef(node: Node) -> Found | None:
    type_node = node.child_by_field_name("type")
    if type_node is not None and type_node.child_by_field_name("body") is not None:
        return Found(*_c_type(type_node, node))
    declared = _declared(node)
    return Found(_c_name(declared[0]), "class") if declared else None


def _go_method(node: Node) -> Found | None:
    name = node.child_by_field_name("name")
    receiver = node.child_by_field_name("receiver")
    if name is None or receiver is None:
        return None
    words = text_of(receiver).strip("() \t\n").partition("[")[0].split()
    owner = words[-1].lstrip("*") if words else ""
    return Found(f"{owner}.{text_of(name)}" if owner else text_of(name), "method")


def _go_types(node: Node) -> Found | None:
    specs = [child for child in node.named_children if child.type in ("type_spec", "type_alias")]
    return _go_type(specs[0]) if len(specs) == 1 else None


def _go_type(node: Node) -> Found | None:
    name, type_node = node.child_by_field_name("name"), node.child_by_field_name("type")
    if name is None or type_node is None:
        return None
    kind = {"struct_type": "struct", "interface_type": "interface"}.get(type_node.type, "class")
    return Found(text_of(name), kind)


def _go_values(node: Node) -> Found | None:
    specs = [child for child in node.named_children if child.type.endswith("_spec")]
    name = specs[0].child_by_field_name("name") if len(specs) == 1 else None
    if name is None:
        return None
    return Found(text_of(name), "constant" if node.type == "const_declaration" else "variable")


def _rust_impl(node: Node) -> Found | None:
    target = node.child_by_field_name("type")
    if target is None:
        return None
    return Found(plain_name(target).rpartition(".")[2].lstrip("&"), "object")


def _java_field(node: Node) -> Found | None:
    declarator = node.child_by_field_name("declarator")
    name = declarator.child_by_field_name("name") if declarator is not None else None
    return Found(text_of(name), "field") if name is not None else None


def _kotlin_class(node: Node) -> Found | None:
    found = named("class")(node)
    if found is None:
        return None
    if first_child(node, "enum_class_body") is not None:
        keywords = {child.type for child in node.children}
        return found._replace(kind="interface" if "interface" in keywords else "enum")
    keywords = {child.type for child in node.children}
    return found._replace(kind="interface") if "interface" in keywords else found


def _kotlin_property(node: Node) -> Found | None:
    variable = first_child(node, "variable_declaration")
    return Found(plain_name(variable).partition(":")[0].strip(), "property") if variable else None


def _kotlin_companion(node: Node) -> Found | None:
    name = node.child_by_field_name("name")
    return Found(text_of(name) if name is not None else "Companion", "object")


def _kotlin_alias(node: Node) -> Found | None:
    return named("class", "type")(node)


def _swift_class(node: Node) -> Found | None:
    found = named("class")(node)
    if found is None:
        return None
    keywords = {child.type for child in node.children if not child.is_named}
    return found._replace(kind=next((k for k in ("struct", "enum") if k in keywords), "class"))


_C_DEFINITIONS = {
    "function_definition": _c_function,
    "declaration": _c_declaration,
    "type_definition": _c_typedef,
    "struct_specifier": with_body("struct"),
    "union_specifier": with_body("struct"),
    "enum_specifier": with_body("enum"),
    "preproc_function_def": named("function"),
    "preproc_def": named("constant"),
}
_C_BLOCKS = types(
    "preproc_if preproc_ifdef preproc_else preproc_elif preproc_elifdef linkage_specification"
    " declaration_list ERROR"
)

C = Rules(definitions=_C_DEFINITIONS, blocks=_C_BLOCKS)
CPP = Rules(
    definitions=_C_DEFINITIONS
    | {
        "class_specifier": with_body("class"),
        "alias_declaration": named("class"),
        "concept_definition": named("interface"),
    },
    scopes={"namespace_definition": named("namespace")},
    blocks=_C_BLOCKS | types("namespace_definition field_declaration_list"),
    wrappers=types("template_declaration export_declaration"),
    leading=always("attribute_declaration"),
)
GO = Rules(
    definitions={
        "function_declaration": named("function"),
        "method_declaration": _go_method,
        "type_declaration": _go_types,
        "type_spec": _go_type,
        "type_alias": _go_type,
        "const_declaration": _go_values,
        "var_declaration": _go_values,
    },
    blocks=types("type_declaration ERROR"),
)
RUST = Rules(
    definitions={
        "function_item": named("function"),
        "function_signature_item": named("function"),
        "struct_item": named("struct"),
        "union_item": named("struct"),
        "enum_item": named("enum"),
        "trait_item": named("interface"),
        "impl_item": _rust_impl,
        "type_item": named("class"),
        "const_item": named("constant"),
        "static_item": named("variable"),
        "macro_definition": named("function"),
    },
    scopes={"mod_item": named("module")},
    blocks=types("foreign_mod_item declaration_list ERROR"),
    leading=always("attribute_item"),
)
JAVA = Rules(
    definitions={
        "class_declaration": named("class"),
        "record_declaration": named("class"),
        "interface_declaration": named("interface"),
        "annotation_type_declaration": named("interface"),
        "enum_declaration": named("enum"),
        "method_declaration": named("method"),
        "constructor_declaration": named("constructor"),
        "compact_constructor_declaration": named("constructor"),
        "field_declaration": _java_field,
    },
    blocks=types("class_body interface_body enum_body enum_body_declarations ERROR"),
)
CSHARP = Rules(
    definitions={
        "class_declaration": named("class"),
        "record_declaration": named("class"),
        "struct_declaration": named("struct"),
        "interface_declaration": named("interface"),
        "enum_declaration": named("enum"),
        "delegate_declaration": named("class"),
        "method_declaration": named("method"),
        "local_function_statement": named("function"),
        "constructor_declaration": named("constructor"),
        "destructor_declaration": fixed("Finalize", "method"),
        "operator_declaration": fixed("operator", "method"),
        "conversion_operator_declaration": fixed("operator", "method"),
        "indexer_declaration": fixed("this", "property"),
        "property_declaration": named("property"),
        "event_declaration": named("property"),
    },
    blocks=types(
        "namespace_declaration file_scoped_namespace_declaration declaration_list"
        " preproc_if preproc_else preproc_elif ERROR"
    ),
)
KOTLIN = Rules(
    definitions={
        "class_declaration": _kotlin_class,
        "object_declaration": named("object"),
        "companion_object": _kotlin_companion,
        "function_declaration": named("function"),
        "secondary_constructor": fixed("constructor", "constructor"),
        "property_declaration": _kotlin_property,
        "type_alias": _kotlin_alias,
    },
    blocks=types("class_body enum_class_body ERROR"),
)
SWIFT = Rules(
    definitions={
        "class_declaration": _swift_class,
        "protocol_declaration": named("interface"),
        "function_declaration": named("function"),
        "protocol_function_declaration": named("function"),
        "init_declaration": fixed("init", "constructor"),
        "deinit_declaration": fixed("deinit", "method"),
        "subscript_declaration": fixed("subscript", "method"),
        "typealias_declaration": named("class"),
        "property_declaration": named("property"),
        "macro_declaration": named("function"),
    },
    blocks=types("class_body enum_class_body protocol_body ERROR"),
)
SCALA = Rules(
    definitions={
        "class_definition": named("class"),
        "object_definition": named("object"),
        "package_object": named("object"),
        "trait_definition": named("interface"),
        "enum_definition": named("enum"),
        "function_definition": named("function"),
        "function_declaration": named("function"),
        "type_definition": named("class"),
        "given_definition": named("constant"),
        "val_definition": named("constant", "pattern"),
        "var_definition": named("variable", "pattern"),
    },
    blocks=types("template_body extension_definition package_clause ERROR"),
)
