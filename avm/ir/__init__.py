"""Script → flat program: `quick.quick_program(text)` in one pass, `lower.lower(tree)` of any tree; `disasm.disassemble(program)` prints it."""
