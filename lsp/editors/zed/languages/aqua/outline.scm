(function_definition "func" @context name: (identifier) @name) @item
(service_definition "service" @context name: (type_identifier) @name) @item
(data_definition "data" @context name: (type_identifier) @name) @item
(ability_definition "ability" @context name: (type_identifier) @name) @item
(alias_definition "alias" @context name: (type_identifier) @name) @item
(const_definition "const" @context name: (type_identifier) @name) @item
(method_declaration name: (identifier) @name) @item
