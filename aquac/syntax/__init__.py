"""Aqua text → `ast.File`: logical lines, a LALR grammar for one line, blocks by indentation. Nothing is resolved here."""
