[
  (function_definition)
  (closure_definition)
  (block)
] @local.scope

(function_definition name: (identifier) @local.definition.function)
(closure_definition name: (identifier) @local.definition.function)
(parameter name: (identifier) @local.definition.parameter)
(assignment left: (identifier) @local.definition.var)
(call_statement left: (names (identifier) @local.definition.var))
(declaration name: (identifier) @local.definition.var)
(for_statement item: (identifier) @local.definition.var)
(for_statement value: (identifier) @local.definition.var)
(parseq_statement item: (identifier) @local.definition.var)
(parseq_statement value: (identifier) @local.definition.var)
(catch_clause error: (identifier) @local.definition.var)
(const_definition name: (type_identifier) @local.definition.constant)
(alias_definition name: (type_identifier) @local.definition.type)
(data_definition name: (type_identifier) @local.definition.type)
(service_definition name: (type_identifier) @local.definition.type)
(ability_definition name: (type_identifier) @local.definition.type)

(identifier) @local.reference
(type_identifier) @local.reference
