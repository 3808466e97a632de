(function_definition name: (identifier) @name) @definition.function
(method_declaration name: (identifier) @name) @definition.method
(data_definition name: (type_identifier) @name) @definition.class
(alias_definition name: (type_identifier) @name) @definition.type
(service_definition name: (type_identifier) @name) @definition.interface
(ability_definition name: (type_identifier) @name) @definition.interface
(const_definition name: (type_identifier) @name) @definition.constant
(call_expression function: (identifier) @name) @reference.call
(call_expression function: (field_expression field: (identifier) @name)) @reference.call
