(function_definition body: (_) @function.inside) @function.around
(closure_definition body: (_) @function.inside) @function.around
(data_definition body: (_) @class.inside) @class.around
(service_definition body: (_) @class.inside) @class.around
(ability_definition body: (_) @class.inside) @class.around
(parameter) @parameter.inside
(comment) @comment.inside
(comment)+ @comment.around
