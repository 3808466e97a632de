[
  (data_definition)
  (service_definition)
  (ability_definition)
  (function_definition)
  (closure_definition)
  (on_statement)
  (for_statement)
  (parseq_statement)
  (if_statement)
  (else_clause)
  (try_statement)
  (catch_clause)
  (otherwise_clause)
] @indent.begin

[
  (arguments)
  (collection)
  (parameters)
  (parenthesized_expression)
] @indent.begin

[
  "else"
  "catch"
  "otherwise"
  ")"
  "]"
  "}"
] @indent.branch

(return_statement) @indent.dedent
(comment) @indent.auto
