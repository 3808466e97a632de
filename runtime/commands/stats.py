"""`avm stats`: runs a file of invocations and prints what the interpreter's caches did, as one JSON document.

The outcomes themselves are only counted, by code. Errors: exit 1 if a line is no invocation (the others still count),
exit 2 for a file that is not there.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

HELP: Final = "run invocations and print what the interpreter's caches did"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", metavar="FILE", help="invocations, as for `avm invoke`; - for standard input")
    parser.add_argument("--repeat", metavar="N", type=int, default=1, help="run all lines N times, default once")
    parser.add_argument("--engine", choices=("auto", "interp", "jit"), default="auto", help="default auto")


def run(args: argparse.Namespace) -> int:
    """Run all lines and print the counts."""
    from aquac.command_line import DIAGNOSTICS, OK, CommandError
    from avm import Avm
    from runtime.invocation_lines import read_lines

    if args.repeat < 1:
        raise CommandError("--repeat must be at least 1")
    avm = Avm(args.engine)
    codes: Counter[int] = Counter()
    invocations = []
    malformed = 0
    for line in read_lines(args.file):
        if isinstance(line.invocation, str):
            malformed += 1
            sys.stderr.write(f"avm stats: line {line.number}: {line.invocation}\n")
            continue
        codes[line.invocation.run(avm).ret_code] += 1
        if args.repeat > 1:
            invocations.append(line.invocation)
    for _ in range(args.repeat - 1):
        codes.update(invocation.run(avm).ret_code for invocation in invocations)
    document = {
        **avm.stats().to_json(),
        "ret_codes": {str(code): codes[code] for code in sorted(codes)},
        "malformed": malformed,
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return DIAGNOSTICS if malformed else OK
