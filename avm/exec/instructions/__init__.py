"""One module per instruction. A handler executes the operation at `pc` and returns the position of the next one."""
