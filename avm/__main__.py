"""`python -m avm`: the `avm` command, whose code lives with the runtime."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    sys.exit(import_module("runtime.cli").main())
