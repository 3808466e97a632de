(_ "(" ")" @end) @indent
