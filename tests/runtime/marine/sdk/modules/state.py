"""Variables of the module: numbers, texts, lists, records, dicts; what refers to the same thing still does after a collection."""

from dataclasses import dataclass, field

from runtime.marine.sdk import export, start, u32


@dataclass
class Entry:
    key: str
    values: list[int] = field(default_factory=list)
    note: str | None = None
    rank: int | None = None


calls = 0
last = "none"
entries: list[Entry] = [Entry("first", [1, 2, 3], "kept")]
favourite = entries[0]
index: dict[str, Entry] = {"first": favourite}
blobs: list[bytes] = []
best: Entry | None = None
scores: dict[int, float] = {}
started = False


@start
def begin() -> None:
    global started
    started = True
    entries.append(Entry("start"))


@export
def is_started() -> bool:
    return started


@export
def put(key: str, value: int) -> u32:
    global calls, last, best
    calls += 1
    last = key
    entry = index.get(key)
    if entry is None:
        entry = Entry(key)
        entries.append(entry)
        index[key] = entry
    entry.values.append(value)
    entry.rank = value
    if value % 2 == 0:
        best = entry
    scores[value % 7] = value / 2
    return len(entries)


@export
def get(key: str) -> list[int]:
    entry = index.get(key)
    return [] if entry is None else entry.values


@export
def report() -> list[str]:
    out = [str(calls), last, f"{len(entries)}", favourite.key, str(len(blobs))]
    for entry in entries:
        out.append(f"{entry.key}{len(entry.values)}{entry.note}{entry.rank}")
    held = best
    if held is not None:
        out.append(held.key)
    for key, score in scores.items():
        out.append(f"{key}:{score}")
    return out


@export
def touch_favourite(value: int) -> bool:
    favourite.values.append(value)
    return entries[0].values[-1] == value and index["first"].values == entries[0].values and index["first"] == favourite


@export
def keep(blob: bytes) -> int:
    blobs.append(blob)
    if len(blobs) > 4:
        blobs.pop(0)
    return sum(len(b) for b in blobs)


@export
def blob(i: int) -> bytes:
    return blobs[i]


@export
def garbage(n: int) -> int:
    global last
    total = 0
    for i in range(n):
        total += len([i, i + 1]) + len(f"{i}-{last}")
    last = f"garbage {n}"
    return total


@export
def fail(n: int) -> int:
    entries[0].values.append(n)
    big = [n] * 1000
    return big[n]
