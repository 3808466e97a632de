(instruction) @fold
