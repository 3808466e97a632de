"""Language server for Aqua: the compiler's own parser and checks over the texts in the editor. Loads nothing by itself."""
