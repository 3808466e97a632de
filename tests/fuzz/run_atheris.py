"""Coverage-guided fuzzing of one target with atheris (`pip install atheris`; CPython 3.11–3.13 on Linux).

    python -m tests.fuzz.run_atheris TARGET [libFuzzer arguments]

for example `air -max_total_time=60` or `archive corpus/ -runs=100000`. Targets are those of `tests.fuzz.targets`; their honest
inputs are put into the first corpus folder, a temporary one if none is given. A crash leaves a file and exit code 77.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main(argv: list[str]) -> int:
    """Instrument, seed, run. Does not return when libFuzzer ends the process."""
    try:
        import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["avm", "runtime.protocol", "runtime.core"]):
        from tests.fuzz.targets import TARGETS, seeds
    if len(argv) < 2 or argv[1] not in TARGETS:
        print(f"usage: run_atheris TARGET [libFuzzer arguments]; targets: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    target, rest = argv[1], argv[2:]
    folders = [argument for argument in rest if not argument.startswith("-")]
    if not folders:
        folders = [tempfile.mkdtemp(prefix=f"fuzz-{target}-")]
        rest = [*rest, folders[0]]
    folder = Path(folders[0])
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (folder / f"seed-{number}").write_bytes(data)
    atheris.Setup([argv[0], *rest], TARGETS[target])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
