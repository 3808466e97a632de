"""Facade: keeps the texts, and asks the other two modules."""

from dataclasses import dataclass

from runtime.marine.sdk import call_parameters, export, log, service, u8, u32


@dataclass
class Count:
    word: str
    times: u32


@dataclass
class Report:
    texts: u32
    top: list[Count]
    stamp: str
    author: str | None


@service("words")
class Words:
    def count(self, texts: list[str]) -> list[Count]: ...


@service("stamp")
class Stamp:
    def stamp(self, text: str) -> str: ...


words = Words()
texts: list[str] = []
author: str | None = None


@export
def add(text: str) -> u32:
    """Keep a text; how many there are."""
    global author
    if author is None:
        author = call_parameters().particle.init_peer_id
    texts.append(text)
    log.info(f"{len(texts)} texts")
    return len(texts)


@export
def report(most: u8) -> Report:
    """What is in the texts so far."""
    if not texts:
        raise ValueError("there are no texts")
    top = words.count(texts)[:most]
    return Report(len(texts), top, Stamp().stamp(f"{len(texts)} texts"), author)
