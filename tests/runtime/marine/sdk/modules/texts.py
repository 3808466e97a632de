"""Texts and bytes: every function is pure, so Python says what is right."""

from runtime.marine.sdk import export, u8


@export
def length(s: str) -> int:
    return len(s)


@export
def at(s: str, i: int) -> str:
    return s[i]


@export
def part(s: str, a: int, b: int) -> str:
    return s[a:b]


@export
def ends(s: str, a: int) -> list[str]:
    return [s[a:], s[:a], s[-2:], s[::2], s[::-1], s[a::-1], s[1:a:3]]


@export
def joined(parts: list[str], by: str) -> str:
    return by.join(parts) + by * 2


@export
def search(s: str, t: str, start: int) -> list[int]:
    return [s.find(t), s.rfind(t), s.find(t, start), s.rfind(t, start), s.find(t, 1, -1), s.count(t)]


@export
def tests(s: str, t: str) -> list[bool]:
    return [s.startswith(t), s.endswith(t), t in s, s == t, s != t, s < t, s <= t, s > t, s >= t, bool(s), not t]


@export
def cut(s: str, t: str) -> list[str]:
    return s.split(t) + s.split() + s.split(t, 1) + s.split(None, 2) + s.splitlines()


@export
def trimmed(s: str, t: str) -> list[str]:
    return [
        s.strip(),
        s.lstrip(),
        s.rstrip(),
        s.strip(t),
        s.lstrip(t),
        s.rstrip(t),
        s.removeprefix(t),
        s.removesuffix(t),
    ]


@export
def changed(s: str, a: str, b: str) -> list[str]:
    return [s.replace(a, b), s.replace(a, b, 2), s.replace("", b), s.replace(a, "")]


@export
def padded(s: str, n: u8) -> list[str]:
    return [s.ljust(n), s.rjust(n, "."), s.center(n, "*"), s.zfill(n), f"{s:>20}", f"{s:é^9}|", f"{s:.3}", f"{s:5.2}"]


@export
def letters(s: str) -> list[str]:
    out: list[str] = []
    for c in s:
        out.append(c)
    for i, c in enumerate(s, 3):
        out.append(f"{i}{c}")
    return out


@export
def points(s: str) -> list[int]:
    return [ord(c) for c in s]


@export
def characters(numbers: list[int]) -> str:
    return "".join(chr(n % 0xD800) for n in numbers)


@export
def ascii_only(text: str) -> list[str]:
    s = "".join(c for c in text if ord(c) < 128)
    return [
        s.upper(),
        s.lower(),
        str(s.isdigit()),
        str(s.isalpha()),
        str(s.isalnum()),
        str(s.isupper()),
        str(s.islower()),
    ]


@export
def spaces(s: str) -> bool:
    return s.isspace()


@export
def encoded(s: str) -> bytes:
    return s.encode()


@export
def decoded(b: bytes) -> str:
    return b.decode()


@export
def octets(b: bytes, i: int) -> list[int]:
    out = [b[i], len(b)]
    for x in b:
        out.append(x)
    return out + list(b) + [n for n in bytearray(b)]


@export
def byte_parts(b: bytes, c: bytes, a: int) -> list[bytes]:
    return [b[a:], b[:a], b[::-1], b + c, b * 2, b.strip(), b.replace(c, b"xy"), c.join([b, b, c])] + b.split(b",")


@export
def byte_tests(b: bytes, c: bytes, n: u8) -> list[bool]:
    return [c in b, n in b, b == c, b < c, b.startswith(c), b.endswith(c)]


@export
def byte_search(b: bytes, c: bytes) -> list[int]:
    return [b.find(c), b.rfind(c), b.count(c)]


@export
def built(b: bytes, numbers: list[u8]) -> bytes:
    out = bytearray()
    for n in numbers:
        out.append(n)
    out += b
    out.extend(b"!")
    return bytes(out) + bytes(3) + bytes(numbers) + bytes([n // 2 for n in numbers])


@export
def hexed(b: bytes) -> str:
    return b.hex()


@export
def accumulated(s: str, n: u8) -> list[str]:
    out = ""
    kept: list[str] = []
    for i in range(n):
        kept.append(out)
        out += s
        other = out + "?"
        out = out + str(i)
        kept.append(other)
    kept.append(out)
    return kept
