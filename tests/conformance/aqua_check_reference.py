"""Ask the reference compiler what is wrong with programs, and record the answers as cases of the area aqua-check.

    python -m tests.conformance.aqua_check_reference FILE.jsonl [--write]

Every case of the file (`id`, `source`, `imports`, `constants`, … as in `data/aqua-check`) is compiled by the reference. Without
`--write` the recorded `expect` is compared with the answer; with it, the file gets the answers. Needs node and the reference
packages (`tasks.py reference`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from tests.conftest import node_modules

DRIVER: Final = Path(__file__).with_suffix(".mjs")
AHEAD: Final = 6
"""Programs sent before the first answer is read."""

Case = dict[str, Any]


class CheckReference:
    """One warm node process with the reference compiler. Use as a context manager."""

    def __init__(self, modules: Path) -> None:
        self._process = subprocess.Popen(
            ["node", str(DRIVER), str(modules)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> CheckReference:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _send(self, case: Case) -> None:
        request = {name: case[name] for name in ("source", "imports", "constants") if case.get(name)}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"source": "", **request}) + "\n")
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the reference process has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def expect(self, case: Case) -> dict[str, Any]:
        """The `expect` of one case; only while no `all` is under way."""
        self._send(case)
        return self._receive()

    def all(self, cases: Iterable[Case]) -> Iterator[Case]:
        """The cases with their `expect`; the reference works ahead."""
        waiting: deque[Case] = deque()
        for case in cases:
            self._send(case)
            waiting.append(case)
            if len(waiting) >= AHEAD:
                yield {**waiting.popleft(), "expect": self._receive()}
        while waiting:
            yield {**waiting.popleft(), "expect": self._receive()}


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 if a recorded answer differs, 2 without the reference."""
    parser = argparse.ArgumentParser(
        prog="aqua_check_reference", description="record answers of the reference compiler"
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--write", action="store_true", help="store the answers")
    args = parser.parse_args(argv)
    modules = node_modules()
    if modules is None:
        print("no reference packages: run `python3 tasks.py reference`", file=sys.stderr)
        return 2
    cases = [json.loads(line) for line in args.file.read_text(encoding="utf-8").splitlines()]
    with CheckReference(modules) as reference:
        answered = list(reference.all(cases))
    different = [new["id"] for old, new in zip(cases, answered, strict=True) if old.get("expect") != new["expect"]]
    if args.write:
        lines = (json.dumps(case, ensure_ascii=False) + "\n" for case in answered)
        args.file.write_text("".join(lines), encoding="utf-8")
    print(f"{len(cases)} cases, {len(different)} differ from what was recorded: {' '.join(different)}")
    return 0 if args.write or not different else 1


if __name__ == "__main__":
    sys.exit(main())
