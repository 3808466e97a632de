"""Random programs of the module language against Python, for as long as one likes; see `tests/runtime/marine/sdk/programs.py`.

python3 -m tests.fuzz.module_programs --programs 1000 --seed N
"""

from __future__ import annotations

import argparse

from tests.runtime.marine.sdk.test_programs import compare


def main() -> int:
    """Exit code 1 if a program did something else than Python."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    args = parser.parse_args()
    failed = 0
    for seed in range(args.seed, args.seed + args.programs):
        try:
            compare(seed)
        except Exception as error:  # noqa: BLE001 - a crash is a finding too
            failed += 1
            print(f"{type(error).__name__}: {error}", flush=True)
    print(f"{args.programs} programs from seed {args.seed}, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
