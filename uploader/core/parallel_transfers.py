"""How many files are sent at once, where the configuration lets it be found out: the only place that knows.

Over a long way a connection carries a window of bytes for each round trip, and more connections carry more; on a line
that is full, or to a processor that is busy, more of them gain nothing. Nobody knows beforehand, so it is tried: one
number for a few seconds, then another, and the better one is kept. What gains little is not kept (noise would drive
the number up), and a number that was found rests for a minute before others are tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAST, START, MOST = 1, 8, 16
"""Files at once. More than the most gain nothing at 150 ms on a line of 500 MB/s, and cost memory and descriptors."""

WINDOW = 3.0
"""Seconds over which bytes are counted for a number."""

SETTLE = 1.0
"""Seconds after a change in which they are not: new connections are still finding their pace."""

GAIN = 1.1
"""More files are kept where they carry as many times the bytes."""

LOSS = 0.98
"""Fewer files are kept where they carry this much of them: they cost less, and are done sooner each."""

REST = 20
"""Windows for which a number is kept that no neighbour was better than."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is being tried, and how far it is. Seconds are those of a clock that does not jump, rates bytes a second."""

    files: int = START
    """How many are to be sent at once now."""
    kept: int = START
    """The best number so far; another one is on trial."""
    rate: float | None = None
    """What `kept` carried; None while it is measured."""
    up: bool = True
    """Whether more are tried next, or fewer."""
    rest: int = 0
    """Windows to go until something is tried."""
    begun: float | None = None
    """When the window begins, or began; None where there is none, for want of files."""
    sent: int | None = None
    """Bytes that had been sent at its beginning; None until then."""


def seen(search: Search, now: float, sent: int, sending: int) -> Search:
    """The search after a look: `sent` bytes have left so far, and `sending` files are under way.

    A window counts only where as many files were under way at each look as were to be: else it says nothing of them.
    There are more for a while where fewer are to be tried: who is under way ends in peace.
    """
    if sending != search.files:
        return replace(search, begun=None, sent=None)
    if search.begun is None:
        return replace(search, begun=now + SETTLE)
    if search.sent is None:
        return search if now < search.begun else replace(search, begun=now, sent=sent)
    if now - search.begun < WINDOW:
        return search
    found = _judged(search, (sent - search.sent) / (now - search.begun))
    if found.files == search.files:
        return replace(found, begun=now, sent=sent)
    return replace(found, begun=now + SETTLE, sent=None)


def _judged(search: Search, rate: float) -> Search:
    """What follows from the rate of a whole window."""
    if search.rest:
        return replace(search, rest=search.rest - 1)
    if search.rate is None:
        return _try_next(replace(search, rate=rate))
    if rate >= search.rate * (GAIN if search.files > search.kept else LOSS):
        return _try_next(replace(search, kept=search.files, rate=rate))
    return _rested(search)


def _try_next(search: Search) -> Search:
    """Put the next number in the same direction on trial; at the bound rest, and turn round."""
    # By a half, so that a long line is full after half a minute; and by one where that is less.
    further = (
        max(search.kept + 1, search.kept * 3 // 2)
        if search.up
        else min(search.kept - 1, search.kept * 3 // 4)
    )
    tried = min(max(further, LEAST), MOST)
    return _rested(search) if tried == search.kept else replace(search, files=tried)


def _rested(search: Search) -> Search:
    """Keep the best number for a while; what it carries is measured anew before others are tried, the other way."""
    return replace(search, files=search.kept, rate=None, up=not search.up, rest=REST)
