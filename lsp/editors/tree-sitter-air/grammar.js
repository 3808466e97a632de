/** AIR for tree-sitter: instructions and their operands. Which operands an instruction has is for the virtual machine to check. */

const INSTRUCTIONS = [
  "ap",
  "call",
  "canon",
  "fail",
  "fold",
  "match",
  "mismatch",
  "never",
  "new",
  "next",
  "null",
  "par",
  "seq",
  "xor",
];

module.exports = grammar({
  name: "air",

  extras: ($) => [/\s/, $.comment],

  word: ($) => $.identifier,

  rules: {
    // A script is one instruction; parts of scripts are read, too.
    source_file: ($) => repeat($.instruction),

    comment: () => token(/;[^\n]*/),

    instruction: ($) =>
      seq("(", field("name", choice(...INSTRUCTIONS)), repeat($._operand), repeat($.instruction), ")"),

    _operand: ($) => choice($.triplet_function, $._value),

    // `("service" "function")` of a call.
    triplet_function: ($) => seq("(", field("service", $._value), field("function", $._value), ")"),

    list: ($) => seq("[", repeat($._value), "]"),

    _value: ($) => choice($.variable, $.constant, $.list, $.string, $.number),

    variable: ($) => seq(choice($.identifier, $.stream, $.map, $.canon, $.canon_map), optional($.lens)),

    stream: () => token(/\$[A-Za-z0-9_-][\w:-]*/),
    map: () => token(/%[A-Za-z0-9_-][\w:-]*/),
    canon: () => token(/#[A-Za-z0-9_-][\w:-]*/),
    canon_map: () => token(/#%[A-Za-z0-9_-][\w:-]*/),

    lens: () => token.immediate(/\.(\$|length)((\.?\[[^\]\s]*\]|\.[A-Za-z_][\w-]*)!?|!)*/),

    constant: ($) =>
      seq(
        choice("true", "false", "%init_peer_id%", "%timestamp%", "%ttl%", "%last_error%", ":error:"),
        optional($.lens),
      ),

    identifier: () => /[A-Za-z_-][\w:-]*/,
    string: () => /"[^"]*"/,
    number: () => token(prec(1, /-?[0-9]+(\.[0-9]+)?/)),
  },
});
