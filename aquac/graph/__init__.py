"""Pictures of programs: `aquac graph`.

`steps` makes a list of what happens of a compiled function, `flow` the graph of its operations by peer, `files` the graph of
imports. `mermaid`, `dot` and `svg` write them; nothing here needs a tool to draw.
"""
