"""What every command of the toolchain shares: flags, exit codes, and how errors reach a person.

`aquac` and `avm` both enter through `run_main`, so a traceback never reaches a user and the exit codes of
`docs/commands.md` mean the same everywhere. Imports the standard library only.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

from .version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

OK: Final = 0
DIAGNOSTICS: Final = 1
USAGE: Final = 2
WORKFLOW_ERROR: Final = 3
TIMED_OUT: Final = 4
UNREACHABLE: Final = 5
INCOMPATIBLE: Final = 6
INTERNAL: Final = 70
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141

_FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO})
_BARRED: Final = frozenset({errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP})
"""Why even asking whether a file is there can fail; `Path.exists` and its like raise then."""


class CommandError(Exception):
    """Ends a command with one message and an exit code.

    Args:
        message: what is wrong and where; one line where possible.
        exit_code: one of the constants of this module.
        hint: the remedy, printed on a line of its own.
    """

    def __init__(self, message: str, exit_code: int = USAGE, *, hint: str = "") -> None:
        """Keep the three for `run_main`."""
        super().__init__(message)
        self.exit_code = exit_code
        self.hint = hint


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaint is one message, with `--help` named as the remedy."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        raise CommandError(message, USAGE, hint=f"see `{self.prog} --help`")


def add_common_flags(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """Add the flags every command takes.

    They may stand before or after the sub-command, so only the top parser (`top`) sets defaults; a sub-parser leaves
    absent flags alone instead of overwriting what stood before it.
    """

    def default(value: object) -> object:
        return value if top else argparse.SUPPRESS

    if top:
        parser.add_argument("-V", "--version", action="version", version=f"{parser.prog} {VERSION}")
    group = parser.add_argument_group("common options")
    group.add_argument("-q", "--quiet", action="count", default=default(0), help="print results and errors only")
    group.add_argument("-v", "--verbose", action="count", default=default(0), help="say more; repeat for more")
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=default("auto"),
        help="colour in messages (default auto)",
    )
    group.add_argument("-C", dest="directory", metavar="DIR", default=default(None), help="run as if started in DIR")
    group.add_argument("--no-input", action="store_true", default=default(False), help="never prompt")


def enter_directory(args: argparse.Namespace) -> None:
    """Obey `-C DIR`. Raises CommandError when DIR cannot be entered."""
    if args.directory is None:
        return
    try:
        os.chdir(args.directory)
    except OSError as error:
        raise CommandError(f"cannot enter directory {args.directory}: {error.strerror}") from error


def use_color(mode: str, stream: TextIO) -> bool:
    """Whether to write ANSI codes to `stream`: `--color` first, then NO_COLOR, FORCE_COLOR, then whether it is a terminal."""
    if mode != "auto":
        return mode == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty()


def read_text(path: str, *, what: str = "file") -> str:
    """Text of a file, or of standard input for `-`.

    Raises CommandError (exit 2) when it is missing, unreadable or not UTF-8.
    """
    name = "standard input" if path == "-" else path
    data = read_bytes(path, what=what)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not UTF-8 (byte {error.start})") from error


def read_bytes(path: str, *, what: str = "file") -> bytes:
    """Bytes of a file, or of standard input for `-`. Raises CommandError (exit 2) when it cannot be read."""
    if path == "-":
        if sys.stdin is None:
            raise CommandError("standard input is closed")
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise CommandError(f"cannot read {what} {path}: {error.strerror or error}") from error


def run_main(prog: str, body: Callable[[Sequence[str]], int], argv: Sequence[str] | None = None) -> int:
    """Run a command and turn whatever ends it into an exit code and one message on stderr."""
    args = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    _buffer_output()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = body(args)
        if not sys.stdout.closed:  # a server over standard output closes it when it is done
            sys.stdout.flush()
    except CommandError as error:
        _complain(prog, str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return BROKEN_PIPE
    except OSError as error:
        # Only what is not the reader's or the writer's own doing arrives here: a full disk behind a redirection, and a name
        # or folder of which the system says nothing at all.
        if error.errno in _BARRED and isinstance(error.filename, str):
            _complain(prog, f"cannot look at {error.filename}: {error.strerror}", "")
            return USAGE
        if error.errno not in _FULL:
            return _internal(prog, error)
        _forget_output()
        _complain(prog, f"cannot write the result: {error.strerror}", "")
        return USAGE
    except Exception as error:  # noqa: BLE001 - the last resort: one message instead of a traceback
        return _internal(prog, error)
    return code


def _internal(prog: str, error: Exception) -> int:
    if os.environ.get("AQUA_TRACEBACK"):
        raise error
    _complain(
        prog,
        f"internal error: {type(error).__name__}: {error}",
        "this is a bug; set AQUA_TRACEBACK=1 to see the traceback and please report it",
    )
    return INTERNAL


def _open_closed_streams() -> None:
    """Give a closed output stream (`>&-`) the null device: who closed it does not want it."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _buffer_output() -> None:
    """Under PYTHONUNBUFFERED, what the system did not take of a write would be lost without an error."""
    stdout = sys.stdout
    raw = getattr(stdout, "buffer", None)
    # another standard output than the process began with belongs to whoever has put it there
    if isinstance(raw, io.RawIOBase) and stdout is sys.__stdout__:
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), line_buffering=raw.isatty())


def _forget_output() -> None:
    """Python flushes stdout once more at exit and would print a second error: give it somewhere to flush to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(prog: str, message: str, hint: str) -> None:
    print(f"{prog}: error: {message}", file=sys.stderr)  # noqa: T201 - messages for people go to stderr
    if hint:
        print(f"  {hint}", file=sys.stderr)  # noqa: T201
