"""Pure module: counts words. It knows nothing but its arguments."""

from dataclasses import dataclass

from runtime.marine.sdk import export, u32


@dataclass
class Count:
    word: str
    times: u32


@export
def count(texts: list[str]) -> list[Count]:
    """Words of all texts, the most frequent first, then by alphabet."""
    times: dict[str, u32] = {}
    for text in texts:
        for word in text.lower().split():
            bare = word.strip(".,;:!?")
            times[bare] = times.get(bare, 0) + 1
    out: list[Count] = []
    for most in sorted(set_of(list(times.values())), reverse=True):
        out += [Count(word, most) for word in sorted(times) if times[word] == most]
    return out


def set_of(numbers: list[u32]) -> list[u32]:
    """Every number once."""
    out: list[u32] = []
    for number in numbers:
        if number not in out:
            out.append(number)
    return out
