"""Kernels, one module for each kind of work; the language is that of `avm.jit.kernel_language`."""
