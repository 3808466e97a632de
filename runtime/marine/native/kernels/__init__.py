"""Kernels of the native adapters; see `avm/jit/kernel_language.py` for the language and `layout` for what they work on."""
