"""multistream-select 1.0.0: two sides agree on a protocol.

Line = varint length (its newline included), text, newline. Either side begins with the header; a proposal is answered
with itself or with `na`. A dialer may send header, proposal and payload at once, or wait for each answer: both work.
Errors: WireError for what is no line, and for too many proposals.
Source: spec peer.md §2.2; the multistream-select specification
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime.protocol.limits import LINE_BYTES_MAX, PROPOSALS_MAX
from runtime.protocol.multiaddr import varint

from . import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME: Final = "/multistream/1.0.0"


def line(text: str) -> bytes:
    """One line as it is sent."""
    data = text.encode() + b"\n"
    return varint(len(data)) + data


HEADER: Final = line(_NAME)
NOT_AVAILABLE: Final = line("na")


class Lines:
    """Cuts bytes into lines; what follows the last line that is asked for stays in `rest`."""

    __slots__ = ("rest",)

    def __init__(self) -> None:
        """Start empty."""
        self.rest = b""

    def next(self) -> str | None:
        """The next complete line without its newline; None until it is there. Raises WireError."""
        data = self.rest
        if not data:
            return None
        length, start = data[0], 1
        if length >= 0x80:
            if len(data) < 2:
                return None
            length, start = length & 0x7F | data[1] << 7, 2
        if not 0 < length <= LINE_BYTES_MAX or (start == 2 and data[1] >= 0x80):
            raise WireError("a line of multistream-select that is empty or too long")
        end = start + length
        if len(data) < end:
            return None
        if data[end - 1] != 0x0A:
            raise WireError("a line of multistream-select without its newline")
        self.rest = data[end:]
        try:
            return data[start : end - 1].decode()
        except UnicodeDecodeError as error:
            raise WireError("a line of multistream-select that is no text") from error


class Responder:
    """The side that is asked. `choose` says whether a proposal is accepted."""

    __slots__ = ("_choose", "_greeted", "_lines", "_proposals")

    def __init__(self, choose: Callable[[str], bool]) -> None:
        """Wait for the other side's header."""
        self._choose = choose
        self._greeted = False
        self._lines = Lines()
        self._proposals = 0

    def feed(self, data: bytes) -> tuple[bytes, str | None, bytes]:
        """What to answer, the protocol once one was accepted, and the bytes behind its proposal. Raises WireError."""
        lines = self._lines
        lines.rest += data
        answer = b""
        while (text := lines.next()) is not None:
            if not self._greeted:
                if text != _NAME:
                    raise WireError("the other side does not speak multistream-select 1.0.0")
                self._greeted = True
                answer += HEADER
                continue
            if self._choose(text):
                return answer + line(text), text, lines.rest
            self._proposals += 1
            if self._proposals >= PROPOSALS_MAX:
                raise WireError(f"{PROPOSALS_MAX} protocols were proposed that are not spoken here")
            answer += NOT_AVAILABLE
        return answer, None, b""


class Dialer:
    """The side that proposes one protocol, without waiting: header and proposal are sent together."""

    __slots__ = ("_greeted", "_lines", "_protocol")

    def __init__(self, protocol: str) -> None:
        """Propose `protocol`; the caller sends `opening(protocol)`."""
        self._protocol = protocol
        self._greeted = False
        self._lines = Lines()

    def feed(self, data: bytes) -> bytes | None:
        """The bytes behind the other side's consent; None until it is there. Raises WireError when it refuses."""
        lines = self._lines
        lines.rest += data
        while (text := lines.next()) is not None:
            if not self._greeted:
                if text != _NAME:
                    raise WireError("the other side does not speak multistream-select 1.0.0")
                self._greeted = True
            elif text == self._protocol:
                return lines.rest
            else:
                raise WireError(f"the other side does not speak {self._protocol}")
        return None


def opening(protocol: str) -> bytes:
    """What a dialer sends first."""
    return HEADER + line(protocol)
