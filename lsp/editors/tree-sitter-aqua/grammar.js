/**
 * Aqua for tree-sitter: what `aquac/syntax/aqua.lark` reads, as a tree for editors.
 *
 * Lines, blocks and the words that begin statements are found by `src/scanner.c`: blocks are made by indentation, a line may go on
 * in the next, and no word is reserved, so `on = 1` assigns to a name.
 */

const PREC = { or: 1, and: 2, equality: 3, comparison: 4, sum: 5, product: 6, power: 7, postfix: 8 };

const commaSep1 = (rule) => seq(rule, repeat(seq(",", rule)));
const binary = (level, operators) => ($) => {
  const associate = level === "power" ? prec.right : prec.left;
  const operator = operators.length > 1 ? choice(...operators) : operators[0];
  return associate(PREC[level], seq(field("left", $._value), field("operator", operator), field("right", $._value)));
};

module.exports = grammar({
  name: "aqua",

  extras: ($) => [/\s/, $.comment, $._anywhere],

  externals: ($) => [
    $._newline,
    $._indent,
    $._dedent,
    $._on,
    $._if,
    $._join,
    $._par,
    $._co,
    $._for,
    $._parseq,
    $._else,
    $._try,
    $._otherwise,
    $._catch,
    $._closure,
    // Never found: the first has the scanner asked inside brackets, too, the second tells it that a definition may begin.
    $._anywhere,
    $._top,
    $._error_sentinel,
  ],

  word: ($) => $.identifier,

  supertypes: ($) => [$._definition, $._statement, $._value, $._type],

  inline: ($) => [$._name],

  conflicts: ($) => [[$._value, $.service_id]],

  rules: {
    source_file: ($) => seq(repeat($._header), repeat(choice($._definition, $._top))),

    comment: () => token(/--[^\n]*/),

    // ── header ──

    _header: ($) =>
      seq(choice($.module_header, $.import_declaration, $.use_declaration, $.export_declaration), $._newline),

    module_header: ($) =>
      seq(
        field("keyword", choice("aqua", "module")),
        field("name", $.qualified_name),
        optional(seq("declares", choice("*", commaSep1($.qualified_name)))),
      ),

    import_declaration: ($) =>
      seq("import", choice(field("path", $.string), seq(commaSep1($.item), "from", field("path", $.string)))),

    use_declaration: ($) =>
      seq(
        "use",
        choice(field("path", $.string), seq(commaSep1($.item), "from", field("path", $.string))),
        optional(seq("as", field("alias", $.qualified_name))),
      ),

    export_declaration: ($) => seq("export", commaSep1($.item)),

    item: ($) => seq(field("name", $.qualified_name), optional(seq("as", field("alias", $.qualified_name)))),

    qualified_name: ($) => seq($._name, repeat(seq(".", $._name))),

    // ── definitions ──

    _definition: ($) =>
      choice(
        $.const_definition,
        $.alias_definition,
        $.data_definition,
        $.service_definition,
        $.ability_definition,
        $.function_definition,
      ),

    const_definition: ($) =>
      seq(
        "const",
        field("name", alias($._constant, $.type_identifier)),
        choice("=", "?="),
        field("value", choice($.string, $.number, $.init_peer_id, $.identifier, $.type_identifier)),
        $._newline,
      ),

    alias_definition: ($) => seq("alias", field("name", $.type_identifier), ":", field("type", $._chains), $._newline),

    data_definition: ($) => seq("data", field("name", $.type_identifier), ":", field("body", alias($.fields, $.members))),

    service_definition: ($) =>
      seq(
        "service",
        field("name", $.type_identifier),
        optional(seq("(", field("id", $._value), ")")),
        ":",
        field("body", $.members),
      ),

    ability_definition: ($) => seq("ability", field("name", $.type_identifier), ":", field("body", $.members)),

    function_definition: ($) =>
      seq("func", field("name", $.identifier), field("signature", $.signature), ":", field("body", $.function_body)),

    fields: ($) => seq($._indent, repeat1(seq(alias($.data_field, $.field_declaration), $._newline)), $._dedent),

    data_field: ($) => seq(field("name", $.identifier), ":", field("type", $._type)),

    members: ($) => seq($._indent, repeat1(seq(choice($.field_declaration, $.method_declaration), $._newline)), $._dedent),

    field_declaration: ($) => seq(field("name", $.identifier), ":", field("type", $._chains)),

    method_declaration: ($) => seq(field("name", $.identifier), field("signature", $.signature)),

    // ── types ──

    signature: ($) =>
      seq(optional($.abilities), field("parameters", $.parameters), optional(seq("->", field("results", $.results)))),

    parameters: ($) =>
      seq("(", optional(seq($.parameter, repeat(seq(",", choice($.parameter, $._chain))))), ")"),

    parameter: ($) => seq(field("name", $.identifier), ":", field("type", $._chain)),

    results: ($) => $._chains,

    abilities: ($) => seq("{", commaSep1($._path), "}"),

    _chains: ($) => commaSep1($._chain),

    _chain: ($) => choice($._unit, $.arrow_type),

    arrow_type: ($) =>
      choice(
        seq($.abilities, $._unit),
        seq(optional($.abilities), $._unit, repeat1(prec.left(seq(repeat1("->"), $._result)))),
        seq(optional($.abilities), repeat1(seq(repeat1("->"), $._result))),
      ),

    _result: ($) => choice($._unit, $.unit_type),

    unit_type: () => seq("(", ")"),

    _unit: ($) => choice($._type, $.parenthesized_type),

    parenthesized_type: ($) => seq("(", $._chains, ")"),

    _type: ($) =>
      choice($.scalar_type, $.extreme_type, $.named_type, $.array_type, $.option_type, $.stream_type, $.map_type),

    // Any name: the compiler knows which there are, and arguments may be called like them.
    scalar_type: ($) => $.identifier,
    extreme_type: () => choice("⊤", "⊥"),
    named_type: ($) => $._path,
    array_type: ($) => seq("[", "]", $._type),
    option_type: ($) => seq("?", $._type),
    stream_type: ($) => seq("*", $._type),
    map_type: ($) => seq("%", $._type),

    _path: ($) => seq($.type_identifier, repeat(seq(".", $.type_identifier))),

    // ── statements ──

    function_body: ($) => seq($._indent, repeat1(choice($._statement, $.return_statement)), $._dedent),

    block: ($) => seq($._indent, repeat1($._statement), $._dedent),

    return_statement: ($) => seq("<-", commaSep1($._value), $._newline),

    _statement: ($) =>
      choice(
        $.assignment,
        $.push_statement,
        $.call_statement,
        $.declaration,
        $.service_id,
        $.join_statement,
        $.par_statement,
        $.on_statement,
        $.for_statement,
        $.parseq_statement,
        $.if_statement,
        $.try_statement,
        $.closure_definition,
        $.otherwise_clause,
        $.catch_clause,
        $.else_clause,
      ),

    assignment: ($) => seq(field("left", $._name), "=", field("right", $._value), $._newline),

    push_statement: ($) =>
      seq(field("left", $.identifier), "<<-", field("right", $._value), optional(seq(",", $._value)), $._newline),

    call_statement: ($) => seq($._call, $._newline),

    _call: ($) => seq(optional(seq(field("left", $.names), "<-")), field("right", $._value)),

    names: ($) => commaSep1($._name),

    declaration: ($) => seq(field("name", $.identifier), ":", field("type", $._type), $._newline),

    // Where both could be meant, what stands behind the path belongs to it: `S(x)` is a value.
    service_id: ($) =>
      prec.dynamic(-1, seq(field("service", choice($.type_identifier, $.field_expression)), field("id", $._value), $._newline)),

    join_statement: ($) => seq($._join_values, $._newline),

    _join_values: ($) => seq(alias($._join, "join"), commaSep1($._value)),

    par_statement: ($) =>
      seq(
        choice(alias($._par, "par"), alias($._co, "co")),
        choice($.join_statement, $.call_statement, $.on_statement, $.for_statement),
      ),

    on_statement: ($) =>
      seq(alias($._on, "on"), field("peer", $._value), repeat($.via), ":", field("body", $.block)),

    via: ($) => seq("via", $._value),

    for_statement: ($) =>
      seq(
        alias($._for, "for"),
        $._iteration,
        optional(field("mode", choice("par", "try", "rec"))),
        ":",
        field("body", $.block),
      ),

    _iteration: ($) =>
      seq(field("item", $.identifier), optional(seq(",", field("value", $.identifier))), "<-", field("iterable", $._value)),

    parseq_statement: ($) =>
      seq(
        alias($._parseq, "parseq"),
        $._iteration,
        "on",
        field("peer", $._value),
        repeat($.via),
        ":",
        field("body", $.block),
      ),

    if_statement: ($) => seq(alias($._if, "if"), field("condition", $._value), ":", field("body", $.block)),

    else_clause: ($) => seq(alias($._else, "else"), ":", field("body", $.block)),

    try_statement: ($) => seq(alias($._try, "try"), ":", field("body", $.block)),

    catch_clause: ($) => seq(alias($._catch, "catch"), field("error", $.identifier), ":", field("body", $.block)),

    otherwise_clause: ($) => seq(alias($._otherwise, "otherwise"), ":", field("body", $.block)),

    closure_definition: ($) =>
      seq(
        field("name", $.identifier),
        "=",
        optional(alias($._closure, "func")),
        field("signature", $.signature),
        ":",
        field("body", $.function_body),
      ),

    // ── values ──

    _value: ($) =>
      choice(
        $.binary_expression,
        $.negation,
        $.field_expression,
        $.call_expression,
        $.index_expression,
        $.bang_expression,
        $.collection,
        $.parenthesized_expression,
        $.string,
        $.number,
        $.init_peer_id,
        $.identifier,
        $.type_identifier,
      ),

    binary_expression: ($) =>
      choice(
        binary("or", ["||"])($),
        binary("and", ["&&"])($),
        binary("equality", ["==", "!="])($),
        binary("comparison", [">=", "<=", ">", "<"])($),
        binary("sum", ["+", "-"])($),
        binary("product", ["*", "/", "%"])($),
        binary("power", ["**"])($),
      ),

    negation: ($) => prec(PREC.postfix, seq("!", $._value)),

    field_expression: ($) =>
      prec(PREC.postfix + 1, seq(field("value", $._value), ".", field("field", $._name))),

    call_expression: ($) =>
      prec(
        PREC.postfix + 1,
        seq(
          field("function", choice($.identifier, $.type_identifier, $.field_expression)),
          field("arguments", $.arguments),
        ),
      ),

    arguments: ($) =>
      prec(
        1,
        seq(
          optional(seq("{", commaSep1($._value), "}")),
          "(",
          optional(commaSep1(choice($.named_argument, $._value))),
          ")",
        ),
      ),

    named_argument: ($) => seq(field("name", $.identifier), "=", field("value", $._value)),

    index_expression: ($) => prec(PREC.postfix + 1, seq(field("value", $._value), "[", field("index", $._value), "]")),

    bang_expression: ($) => prec(PREC.postfix + 1, seq(field("value", $._value), field("index", choice("!", $.bang_index)))),

    bang_index: () => token(/!(0|[1-9][0-9]*)/),

    collection: ($) => seq(choice("[", "?[", "*["), optional(commaSep1($._value)), "]"),

    parenthesized_expression: ($) => seq("(", $._value, ")"),

    // ── tokens ──

    _name: ($) => choice($.identifier, $.type_identifier),

    identifier: () => /[a-z][A-Za-z0-9_]*/,
    _constant: () => /[A-Z][A-Z0-9_]*/,
    type_identifier: () => /[A-Z][A-Za-z0-9_]*/,
    string: () => /"[^"]*"/,
    number: () => /-?(0|[1-9][0-9]*)(\.[0-9]+)?/,
    init_peer_id: () => "%init_peer_id%",
  },
});
