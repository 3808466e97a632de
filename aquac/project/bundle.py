"""Where sources come from: the disk, or a bundle of texts in memory. The only part of the compiler that reads files.

Paths are strings; a store decides what is absolute. Reading never raises: a failure is a diagnostic without place.
"""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, Protocol

from aquac.codes import SOURCE_NOT_FOUND, SOURCE_NOT_UTF8, SOURCE_TOO_LARGE, SOURCE_UNREADABLE
from aquac.diagnostics import Diagnostic
from aquac.records import dataclass
from aquac.source import BOM, SourceFile
from aquac.syntax.limits import SOURCE_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".aqua"


class FileStore(Protocol):
    """A place with files. Paths given to the other methods went through `normal`."""

    def normal(self, path: str) -> str:
        """The identity of a file: absolute where that makes sense, without `.` and `..`."""
        ...

    def join(self, folder: str, path: str) -> str:
        """`path` as seen from `folder`, not normalised; an absolute `path` stays what it is."""
        ...

    def folder(self, path: str) -> str:
        """The folder a file is in."""
        ...

    def is_file(self, path: str) -> bool:
        """Whether a regular file is there."""
        ...

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        ...

    def sources_below(self, path: str) -> list[str]:
        """Every `*.aqua` file below a folder, sorted."""
        ...

    def read(self, path: str) -> bytes:
        """Bytes of a file, of at most SOURCE_BYTES_MAX + 1. Raises OSError."""
        ...


class Disk:
    """The file system."""

    def normal(self, path: str) -> str:
        """Absolute path; links are not followed."""
        return os.path.abspath(path)

    def join(self, folder: str, path: str) -> str:
        """As the operating system joins paths."""
        return os.path.join(folder, path)

    def folder(self, path: str) -> str:
        """Folder of a file."""
        return os.path.dirname(path)

    def is_file(self, path: str) -> bool:
        """Whether a regular file is there; False for paths no file can have."""
        try:
            return os.path.isfile(path)
        except ValueError:
            return False

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        try:
            return os.path.isdir(path)
        except ValueError:
            return False

    def sources_below(self, path: str) -> list[str]:
        """Every `*.aqua` file below a folder, sorted; hidden folders, `node_modules` and links to folders are passed over."""
        found = []
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith(".") and name != "node_modules"]
            found += [os.path.join(folder, name) for name in names if name.endswith(SUFFIX)]
        return sorted(found)

    def read(self, path: str) -> bytes:
        """Bytes of a file."""
        with open(path, "rb") as file:
            return file.read(SOURCE_BYTES_MAX + 1)


@dataclass(frozen=True)
class Bundle:
    """Texts in memory by path with `/`. A path may be relative: `main.aqua` and `./main.aqua` are the same file.

    Overlays (editor buffers) put a bundle before the disk: see `Overlay`.
    """

    files: Mapping[str, str]

    def __post_init__(self) -> None:
        """Normalise the keys once."""
        object.__setattr__(self, "files", {posixpath.normpath(path): text for path, text in self.files.items()})

    def normal(self, path: str) -> str:
        """Path without `.` and `..`."""
        return posixpath.normpath(path)

    def join(self, folder: str, path: str) -> str:
        """Joined with `/`."""
        return posixpath.join(folder, path)

    def folder(self, path: str) -> str:
        """Folder of a file."""
        return posixpath.dirname(path)

    def is_file(self, path: str) -> bool:
        """Whether the bundle has it."""
        return path in self.files

    def is_folder(self, path: str) -> bool:
        """Whether any file is below it."""
        return bool(self.sources_below(path))

    def sources_below(self, path: str) -> list[str]:
        """Every `*.aqua` path below a folder, sorted."""
        prefix = "" if path in (".", "") else path.rstrip("/") + "/"
        return sorted(name for name in self.files if name.startswith(prefix) and name.endswith(SUFFIX))

    def read(self, path: str) -> bytes:
        """Text as UTF-8. Raises FileNotFoundError."""
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path].encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Overlay(Disk):
    """The disk, with the texts of open editor buffers by absolute path before it."""

    buffers: Mapping[str, str]

    def is_file(self, path: str) -> bool:
        """Whether a buffer or a file is there."""
        return path in self.buffers or super().is_file(path)

    def read(self, path: str) -> bytes:
        """Text of the buffer, else the bytes of the file."""
        if path in self.buffers:
            return self.buffers[path].encode("utf-8", "surrogatepass")
        return super().read(path)


def read_source(store: FileStore, path: str) -> tuple[SourceFile, Diagnostic | None]:
    """The file at a normal path, empty with a diagnostic (AQ0110–AQ0113) when it cannot be had. A BOM is skipped."""
    empty = SourceFile(path, "")
    try:
        data = store.read(path)
    except FileNotFoundError:
        return empty, Diagnostic(SOURCE_NOT_FOUND, f"no file {path}", empty)
    except IsADirectoryError:
        return empty, Diagnostic(SOURCE_UNREADABLE, f"{path} is a folder, not a file", empty)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return empty, Diagnostic(SOURCE_UNREADABLE, f"cannot read {path}: {reason}", empty)
    if len(data) > SOURCE_BYTES_MAX:
        message = f"{path} is larger than {SOURCE_BYTES_MAX // (1024 * 1024)} MiB"
        return empty, Diagnostic(SOURCE_TOO_LARGE, message, empty)
    bom = data.startswith(BOM)
    try:
        text = data[len(BOM) if bom else 0 :].decode()
    except UnicodeDecodeError as error:
        at = error.start + (len(BOM) if bom else 0)
        message = f"{path} is not UTF-8: byte {data[at]:#04x} at offset {at}"
        return empty, Diagnostic(SOURCE_NOT_UTF8, message, empty)
    return SourceFile(path, text, bom), None
