/** Icons for the kinds of symbols, by the words in which the server names them. */

const ICONS: Readonly<Record<string, string>> = {
  array: "symbol-array",
  boolean: "symbol-boolean",
  class: "symbol-class",
  constant: "symbol-constant",
  constructor: "symbol-constructor",
  enum: "symbol-enum",
  enummember: "symbol-enum-member",
  event: "symbol-event",
  field: "symbol-field",
  file: "symbol-file",
  function: "symbol-function",
  interface: "symbol-interface",
  key: "symbol-key",
  method: "symbol-method",
  module: "symbol-module",
  namespace: "symbol-namespace",
  number: "symbol-number",
  object: "symbol-object",
  operator: "symbol-operator",
  package: "symbol-package",
  property: "symbol-property",
  string: "symbol-string",
  struct: "symbol-structure",
  typeparameter: "symbol-type-parameter",
  variable: "symbol-variable",
};

/** The name of a product icon; a place that belongs to no symbol is a piece of a file. */
export function iconOf(kind: string | undefined): string {
  return (kind === undefined ? undefined : ICONS[kind]) ?? "symbol-file";
}
