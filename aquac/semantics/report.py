"""Collects the diagnostics of one module and words the recurring parts of messages.

Identical findings (same code, same place) are kept once: `on` elaborates its peer twice, as names must, but a person wants to
hear about it once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aquac.codes import as_warning
from aquac.diagnostics import Diagnostic, Edit, Fix, Note
from aquac.records import replace

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from aquac.codes import Code
    from aquac.source import SourceFile, Span

    from .raw import Site

SUGGESTIONS_MAX = 3
SUGGESTING_ERRORS_MAX = 500
"""Findings of one module after which no more suggestions are made."""
REPETITIONS_MAX = 3
"""Places shown of one mistake that shows in several."""
LISTED_NAMES_MAX = 12
"""Longer lists of existing names are cut in messages."""


class Reporter:
    """Diagnostics of one file, in the order they were found."""

    def __init__(self, file: SourceFile, *, legacy: bool = False, follow_ups: bool = False) -> None:
        """Report about `file`; `legacy` accepts what versions of the language before 0.14 accepted.

        With `follow_ups` findings of one cause are diagnostics of their own.
        """
        self.file = file
        self.legacy = legacy
        self.diagnostics: list[Diagnostic] = []
        self._follow_ups = follow_ups
        self._seen: set[tuple[str, Span]] = set()
        self._causes: dict[Hashable, int] = {}
        self._repeated: Counter[int] = Counter()

    def __call__(
        self,
        code: Code,
        span: Span,
        message: str,
        *,
        notes: Iterable[Note] = (),
        fixes: Iterable[Fix] = (),
        cause: Hashable = None,
    ) -> None:
        """Record one finding; a repetition of the same code at the same place is dropped.

        Findings of one `cause` that is probably one mistake, a member that is misspelt where it is declared for instance, are
        one diagnostic: the later ones become notes of the first.
        """
        if (code.id, span) in self._seen:
            return
        self._seen.add((code.id, span))
        if cause is not None and not self._follow_ups:
            first = self._causes.setdefault(cause, len(self.diagnostics))
            if first < len(self.diagnostics):
                self._again(first, span)
                return
        self.diagnostics.append(Diagnostic(code, message, self.file, span, tuple(notes), tuple(fixes)))

    def _again(self, first: int, span: Span) -> None:
        """Note that what diagnostic number `first` says is so at `span` too."""
        self._repeated[first] += 1
        if self._repeated[first] <= REPETITIONS_MAX:
            note = Note("the same here", self.file, span)
        elif self._repeated[first] == REPETITIONS_MAX + 1:
            note = Note("and in other places")
        else:
            return
        diagnostic = self.diagnostics[first]
        self.diagnostics[first] = replace(diagnostic, notes=(*diagnostic.notes, note))

    @property
    def is_tired(self) -> bool:
        """Whether so much is wrong that nobody looks for what else was meant: that takes all names for each error."""
        return len(self.diagnostics) > SUGGESTING_ERRORS_MAX

    def tolerated(self, code: Code) -> Code:
        """`code` for an old form: a warning where those are accepted, an error otherwise."""
        return as_warning(code) if self.legacy else code

    def previous(self, site: Site | None) -> tuple[Note, ...]:
        """Note pointing at an earlier definition; none for predefined names."""
        if site is None:
            return (Note("the name is predefined and cannot be redefined"),)
        return (Note("it was defined here", site.file, site.span),)

    def suggest(
        self, name: str, span: Span, candidates: Iterable[tuple[str, Site | None]]
    ) -> tuple[tuple[Note, ...], tuple[Fix, ...]]:
        """Notes and fixes for a name that is probably a slip for one of `candidates`."""
        if self.is_tired:
            return (), ()
        sites = dict(candidates)
        near = closest(name, sites)
        notes = tuple(_did_you_mean(candidate, sites[candidate]) for candidate in near)
        fixes = tuple(Fix(f"replace `{name}` by `{c}`", (Edit(self.file, span, c),)) for c in near[:1])
        return notes, fixes


def _did_you_mean(name: str, site: Site | None) -> Note:
    text = f"did you mean `{name}`?"
    return Note(text) if site is None else Note(text, site.file, site.span)


def listed(names: Iterable[str]) -> str:
    """Names for a message: backquoted, sorted by the caller, cut when there are many."""
    quoted = [f"`{n}`" for n in names]
    if not quoted:
        return "none"
    if len(quoted) > LISTED_NAMES_MAX:
        quoted[LISTED_NAMES_MAX:] = [f"and {len(quoted) - LISTED_NAMES_MAX} more"]
    return ", ".join(quoted)


def counted(number: int, noun: str) -> str:
    """`1 value`, `2 values`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def closest(name: str, candidates: Iterable[str]) -> list[str]:
    """Candidates a few slips away from `name`, nearest first, ties in the order given."""
    limit = max(1, len(name) // 3)
    scored: list[tuple[int, int, str]] = []
    for at, candidate in enumerate(candidates):
        if candidate != name and abs(len(candidate) - len(name)) <= limit:
            distance = _distance(name.lower(), candidate.lower(), limit)
            if distance <= limit:
                scored.append((distance, at, candidate))
    scored.sort()
    return [candidate for _, _, candidate in scored[:SUGGESTIONS_MAX]]


def _distance(left: str, right: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) between two words; anything above `limit` may be underestimated."""
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            best = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            current.append(best)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return previous[-1]
