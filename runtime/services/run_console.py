"""`run-console`: text for the log of the host; administrators only. Source: nox:particle-builtins/src/builtins.rs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from avm.data.canonical_json import dumps

from .registry import UNIT

if TYPE_CHECKING:
    from .protected import Rights
    from .registry import CallContext, Handler

log = logging.getLogger("run-console")


def functions(rights: Rights) -> dict[str, Handler]:
    """The table of a host with these administrators."""

    def print_(values: list[Any], context: CallContext) -> Any:
        rights.require(context)
        level = logging.INFO if any("decider" in value for value in values if isinstance(value, str)) else logging.DEBUG
        log.log(level, "%s", dumps(values), extra=context.log_fields())
        return UNIT

    return {"print": print_}
