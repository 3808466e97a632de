"""The `aqua-lsp` command: the language server over standard input and output, or over TCP."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from aquac.command_line import INTERRUPTED, CommandError, Parser, add_common_flags, enter_directory, run_main

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until the client says `exit`."""
    return run_main("aqua-lsp", _main, argv)


def _main(argv: Sequence[str]) -> int:
    parser = Parser(prog="aqua-lsp", description="Language server for Aqua.")
    add_common_flags(parser, top=True)
    parser.add_argument("--stdio", action="store_true", help="speak over standard input and output (the default)")
    parser.add_argument("--tcp", metavar="HOST:PORT", help="listen for one client instead, e.g. 127.0.0.1:2087")
    args = parser.parse_args(argv)
    enter_directory(args)
    host, port = "", 0
    if args.tcp is not None:
        host, _, text = args.tcp.rpartition(":")
        if not host or not text.isdecimal() or int(text) > 65535:
            raise CommandError(f"`{args.tcp}` is not an address HOST:PORT such as 127.0.0.1:2087")
        port = int(text)

    from .collecting import calm_collector

    with calm_collector():
        from .server import make_server
        from .shell import serve_stdio, serve_tcp

        # A thread may wait for input and cannot be stopped, so an orderly end would wait for it too. There is nothing to save.
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        server = make_server()
    if args.tcp is None:
        return serve_stdio(server)
    try:
        return serve_tcp(server, host.strip("[]"), port)
    except OSError as error:
        raise CommandError(f"cannot listen at {args.tcp}: {error.strerror or error}") from error


if __name__ == "__main__":
    sys.exit(main())
