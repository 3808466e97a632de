"""AIR tree → flat program: `lower.lower(instruction) -> Program`, and `disasm.disassemble(program)` for its text form."""
