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
] @fold

((comment)+) @fold
