"""The library of the module language: compiled into modules as far as they use it, see `intrinsics`."""
