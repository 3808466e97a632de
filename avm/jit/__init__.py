"""Native code for what is hot; the only part of the VM that knows LLVM. See `library`."""
