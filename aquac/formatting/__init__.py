"""The formatter: one form for every program, with the comments and the tree it had.

Stages, each a file: `lines` reads the lines with their tokens, `spacing` puts a line's tokens together, `wrapping` breaks those
that are too long or have comments inside, `document` sets indentation, blank lines and comments, `checking` compares the trees
before and after. `docs/formatting.md` is the style. `format_source` in `document` is the way in.
"""
