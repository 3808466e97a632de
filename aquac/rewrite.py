"""Put a new text in place of a source file, and show the difference: what `aquac fmt` and `aquac migrate` share.

Errors: CommandError.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from difflib import unified_diff

from .command_line import CommandError


def replace_file(path: str, text: str, *, bom: bool) -> None:
    """Write the new text of a file that exists: all of it or nothing, permissions kept, links followed. Raises CommandError."""
    place = os.path.realpath(path)
    data = text.encode("utf-8-sig" if bom else "utf-8")
    draft = None
    try:
        handle, draft = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".aquac-")
        with open(handle, "wb") as file:
            file.write(data)
        shutil.copymode(place, draft)
        os.replace(draft, place)
        draft = None
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if draft is not None:
            os.unlink(draft)


def text_diff(before: str, after: str, name: str) -> str:
    """The change as a unified diff, the file called `name`; empty if there is none."""
    lines = unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
