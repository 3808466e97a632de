"""Emission: Res to AIR text (`air`), arrow types to definition JSON (`definitions`)."""
