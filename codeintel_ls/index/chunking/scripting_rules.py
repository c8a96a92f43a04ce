"""The tables of Python, JavaScript, TypeScript, Ruby, PHP, Lua, Bash and Elixir."""

from collections.abc import Callable

from tree_sitter import Node

from codeintel_ls.index.chunking.rules import (
    Found,
    Rules,
    always,
    first_child,
    named,
    plain_name,
    text_of,
    types,
)

_JS_FUNCTIONS = types("arrow_function function_expression generator_function function")
_EXPORTS = ("module.exports.", "exports.")


def _python_assignment(node: Node) -> Found | None:
    target = node.child_by_field_name("left")
    if target is None or target.type != "identifier":
        return None
    value = node.child_by_field_name("right")
    if value is not None and value.type == "lambda":
        return Found(text_of(target), "function")
    name = text_of(target)
    return Found(name, "constant" if name.isupper() else "variable")


def _js_value_kind(value: Node | None, otherwise: str) -> str:
    """A function also where it is handed to a decorator: `memo(() => …)`."""
    if value is None:
        return otherwise
    if value.type in _JS_FUNCTIONS:
        return "function"
    if value.type == "class":
        return "class"
    if value.type == "call_expression":
        arguments = value.child_by_field_name("arguments")
        callee = value.child_by_field_name("function")
        is_iife = callee is not None and callee.type == "parenthesized_expression"
        if arguments is not None and not is_iife and first_child(arguments, *_JS_FUNCTIONS):
            return "function"
    return otherwise


def _js_declaration(node: Node) -> Found | None:
    declarator = first_child(node, "variable_declarator")
    name = declarator.child_by_field_name("name") if declarator is not None else None
    if declarator is None or name is None or name.type != "identifier":
        return None
    first = node.children[0]
    otherwise = "constant" if first.type == "const" else "variable"
    return Found(text_of(name), _js_value_kind(declarator.child_by_field_name("value"), otherwise))


def _js_assignment(node: Node) -> Found | None:
    target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
    if target is None or value is None or target.type not in ("member_expression", "identifier"):
        return None
    name = text_of(target)
    kind = _js_value_kind(value, "variable")
    if kind == "variable" and (value.type != "object" or "exports" not in name):
        return None
    for prefix in _EXPORTS:
        name = name.removeprefix(prefix)
    if ".prototype." in name and kind == "function":
        name, kind = name.replace(".prototype.", "."), "method"
    return Found(plain_name(target) if "\n" in name else name, kind)


def _js_pair(node: Node) -> Found | None:
    kind = _js_value_kind(node.child_by_field_name("value"), "")
    key = node.child_by_field_name("key")
    return Found(text_of(key).strip("'\""), "method") if kind == "function" and key else None


def _js_method(node: Node) -> Found | None:
    name = node.child_by_field_name("name")
    if name is None:
        return None
    text = text_of(name)
    return Found(text, "constructor" if text == "constructor" else "method")


def _js_field(field: str) -> Callable[[Node], Found | None]:
    def find(node: Node) -> Found | None:
        name = node.child_by_field_name(field)
        if name is None:
            return None
        kind = _js_value_kind(node.child_by_field_name("value"), "field")
        return Found(text_of(name), "method" if kind == "function" else kind)

    return find


def _js_expression(node: Node) -> Found | None:
    """`export default function () {}`: nameless, but the module's face."""
    parent = node.parent
    is_default = parent is not None and parent.type == "export_statement"
    return Found("default", "class" if node.type == "class" else "function") if is_default else None


def _ts_namespace(node: Node) -> Found | None:
    name = node.child_by_field_name("name")
    return Found(text_of(name).strip("'\""), "namespace") if name is not None else None


def _ruby_call(node: Node) -> Found | None:
    """`private def m`: the definition is the call's argument."""
    arguments = node.child_by_field_name("arguments")
    if arguments is None:
        return None
    method = first_child(arguments, "method", "singleton_method")
    return named("function")(method) if method is not None else None


def _ruby_assignment(node: Node) -> Found | None:
    target, value = node.child_by_field_name("left"), node.child_by_field_name("right")
    if target is None or value is None or target.type != "constant":
        return None
    receiver = value.child_by_field_name("receiver") if value.type == "call" else None
    is_class = receiver is not None and text_of(receiver) in ("Struct", "Class", "Data")
    return Found(text_of(target), "class" if is_class else "constant")


def _lua_function(node: Node) -> Found | None:
    name = node.child_by_field_name("name")
    if name is None:
        return None
    kind = "method" if name.type == "method_index_expression" else "function"
    return Found(plain_name(name).replace(":", "."), kind)


def _lua_assignment(node: Node) -> Found | None:
    names, values = first_child(node, "variable_list"), first_child(node, "expression_list")
    if names is None or values is None or names.named_child_count != 1:
        return None
    value = next(iter(values.named_children), None)
    if value is None or value.type not in ("function_definition", "table_constructor"):
        return None
    kind = "function" if value.type == "function_definition" else "variable"
    return Found(plain_name(names), kind)


_ELIXIR_KINDS = {
    "defmodule": "module",
    "defprotocol": "interface",
    "defimpl": "module",
    "def": "function",
    "defp": "function",
    "defmacro": "function",
    "defmacrop": "function",
    "defguard": "function",
    "defguardp": "function",
    "defdelegate": "function",
    "defn": "function",
    "test": "function",
}
_ELIXIR_LEADING = frozenset({"doc", "spec", "impl", "tag", "deprecated", "typedoc", "since"})


def _elixir_call(node: Node) -> Found | None:
    target = node.child_by_field_name("target")
    kind = _ELIXIR_KINDS.get(text_of(target)) if target is not None else None
    arguments = first_child(node, "arguments")
    head = next(iter(arguments.named_children), None) if arguments is not None else None
    if kind is None or head is None:
        return None
    while head.type == "binary_operator":
        left = head.child_by_field_name("left")
        if left is None:
            return None
        head = left
    called = head.child_by_field_name("target") if head.type == "call" else None
    name = plain_name(called or head).strip('"')
    return Found(name.partition("\n")[0], kind)


def _elixir_attribute(node: Node) -> bool:
    operand = node.child_by_field_name("operand")
    target = operand.child_by_field_name("target") if operand is not None else None
    return target is not None and text_of(target) in _ELIXIR_LEADING


PYTHON = Rules(
    definitions={
        "function_definition": named("function"),
        "class_definition": named("class"),
        "assignment": _python_assignment,
        "type_alias_statement": named("class", "left"),
    },
    blocks=types(
        "if_statement elif_clause else_clause try_statement except_clause finally_clause"
        " with_statement block ERROR"
    ),
    wrappers=types("decorated_definition expression_statement"),
    comments=("#",),
)

_JS_DEFINITIONS = {
    "function_declaration": named("function"),
    "generator_function_declaration": named("function"),
    "class_declaration": named("class"),
    "method_definition": _js_method,
    "field_definition": _js_field("property"),
    "lexical_declaration": _js_declaration,
    "variable_declaration": _js_declaration,
    "assignment_expression": _js_assignment,
    "pair": _js_pair,
    "function_expression": _js_expression,
    "arrow_function": _js_expression,
    "class": _js_expression,
}
_JS_BLOCKS = types("if_statement else_clause try_statement statement_block class_body object ERROR")
_JS_WRAPPERS = types("export_statement expression_statement")

JAVASCRIPT = Rules(
    definitions=_JS_DEFINITIONS,
    blocks=_JS_BLOCKS,
    wrappers=_JS_WRAPPERS,
    leading=always("decorator"),
)
TYPESCRIPT = Rules(
    definitions=_JS_DEFINITIONS
    | {
        "function_signature": named("function"),
        "abstract_class_declaration": named("class"),
        "interface_declaration": named("interface"),
        "type_alias_declaration": named("interface"),
        "enum_declaration": named("enum"),
        "public_field_definition": _js_field("name"),
        "method_signature": named("method"),
        "abstract_method_signature": named("method"),
    },
    scopes={"internal_module": _ts_namespace, "module": _ts_namespace},
    blocks=_JS_BLOCKS | types("ambient_declaration"),
    wrappers=_JS_WRAPPERS | types("ambient_declaration"),
    leading=always("decorator"),
)
RUBY = Rules(
    definitions={
        "class": named("class"),
        "module": named("module"),
        "method": named("function"),
        "singleton_method": named("function"),
        "call": _ruby_call,
        "assignment": _ruby_assignment,
    },
    blocks=types("singleton_class body_statement begin if unless ERROR"),
    comments=("#",),
)
PHP = Rules(
    definitions={
        "class_declaration": named("class"),
        "interface_declaration": named("interface"),
        "trait_declaration": named("class"),
        "enum_declaration": named("enum"),
        "function_definition": named("function"),
        "method_declaration": named("method"),
    },
    blocks=types(
        "namespace_definition compound_statement declaration_list enum_declaration_list"
        " if_statement else_clause ERROR"
    ),
    comments=("//", "#", "/*"),
)
LUA = Rules(
    definitions={
        "function_declaration": _lua_function,
        "assignment_statement": _lua_assignment,
    },
    blocks=types("if_statement do_statement block ERROR"),
    wrappers=types("variable_declaration"),
    comments=("--",),
)
BASH = Rules(
    definitions={"function_definition": named("function")},
    blocks=types("if_statement elif_clause else_clause case_statement list ERROR"),
    comments=("#",),
)
ELIXIR = Rules(
    definitions={"call": _elixir_call},
    blocks=types("do_block ERROR"),
    leading={"unary_operator": _elixir_attribute},
    comments=("#",),
)
