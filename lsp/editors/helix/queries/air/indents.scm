(instruction) @indent
")" @outdent
