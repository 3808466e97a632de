(instruction) @indent.begin
")" @indent.branch
