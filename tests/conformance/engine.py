"""The interpreter the cases run on: `AQUA_TEST_ENGINE` names its engine."""

from __future__ import annotations

import os

from avm import Avm


def interpreter() -> Avm:
    """A fresh one."""
    return Avm(os.environ.get("AQUA_TEST_ENGINE", "auto"))
