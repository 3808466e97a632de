; Later patterns win where editors take the last one, so the general ones come first.

(identifier) @variable
(type_identifier) @type
((type_identifier) @constant
  (#match? @constant "^[A-Z][A-Z0-9_]+$"))

(comment) @comment
(string) @string
(number) @number
(init_peer_id) @constant.builtin
((identifier) @constant.builtin
  (#any-of? @constant.builtin "true" "false" "nil"))

; definitions
(const_definition name: (type_identifier) @constant)
(alias_definition name: (type_identifier) @type.definition)
(data_definition name: (type_identifier) @type.definition)
(service_definition name: (type_identifier) @type.definition)
(ability_definition name: (type_identifier) @type.definition)
(function_definition name: (identifier) @function)
(closure_definition name: (identifier) @function)
(method_declaration name: (identifier) @function.method)
(field_declaration name: (identifier) @variable.member)
(parameter name: (identifier) @variable.parameter)
(named_argument name: (identifier) @variable.parameter)
(module_header name: (qualified_name (_) @module))

; types
(named_type (type_identifier) @type)
(scalar_type (identifier) @type.builtin)
(extreme_type) @type.builtin
(abilities (type_identifier) @type)
(service_id service: (type_identifier) @type)

; values
(field_expression field: (identifier) @variable.member)
(call_expression function: (identifier) @function.call)
(call_expression function: (field_expression field: (identifier) @function.method.call))
(call_expression function: (type_identifier) @constructor)

; words
[
  "aqua"
  "module"
  "declares"
  "import"
  "use"
  "export"
  "from"
  "as"
] @keyword.import
[
  "const"
  "alias"
  "data"
  "service"
  "ability"
] @keyword.type
"func" @keyword.function
[
  "if"
  "else"
] @keyword.conditional
[
  "for"
  "parseq"
  "rec"
] @keyword.repeat
[
  "try"
  "catch"
  "otherwise"
] @keyword.exception
[
  "on"
  "via"
  "par"
  "co"
  "join"
] @keyword.coroutine
(return_statement "<-" @keyword.return)

; signs
[
  "="
  "?="
  "<-"
  "<<-"
  "->"
  "||"
  "&&"
  "=="
  "!="
  ">="
  "<="
  ">"
  "<"
  "+"
  "-"
  "*"
  "/"
  "%"
  "**"
  "!"
  "?"
] @operator
(bang_index) @operator
[
  "("
  ")"
  "["
  "]"
  "{"
  "}"
  "?["
  "*["
] @punctuation.bracket
[
  ","
  "."
  ":"
] @punctuation.delimiter
