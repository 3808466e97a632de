"""Files of a compilation: stores, import resolution, the standard library, link order. The compiler's only file access."""
