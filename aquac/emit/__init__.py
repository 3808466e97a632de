"""Emission: Res to AIR text (`air`), arrow types to definition JSON (`definitions`), both to client code.

`bindings` collects what the generators `typescript`, `javascript` and `python` work from.
"""
