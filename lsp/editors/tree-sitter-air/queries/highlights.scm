(comment) @comment
(string) @string
(number) @number
(identifier) @variable
[
  (stream)
  (map)
  (canon)
  (canon_map)
] @variable.builtin
(constant) @constant.builtin
(lens) @variable.member
(instruction name: _ @keyword)
(triplet_function function: (string) @function)
[
  "("
  ")"
  "["
  "]"
] @punctuation.bracket
