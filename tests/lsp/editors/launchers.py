"""Commands `aqua-lsp`, `aquac` and `avm` of this checkout, for editors to find on a PATH."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.conftest import ROOT

COMMANDS = {"aqua-lsp": "lsp", "aquac": "aquac", "avm": "avm"}


def environment(folder: Path) -> dict[str, str]:
    """Write the commands into `folder`; the environment that has them first on its PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, module in COMMANDS.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        script.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
