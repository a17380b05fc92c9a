"""What follows from an exception that nobody foresaw: whom it concerns waits and the others go on, or the daemon ends.

A mistake belongs to this process, so it is kept in memory only: another start, or another version, tries at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 900.0
"""Seconds until a file or session that a mistake concerns is tried again: doubling from the first to the second."""

MOST_IN_A_ROW = 10
"""Mistakes with nothing done in between, after which the daemon ends: it is not one file's or session's matter."""

Subject = tuple[str, int]
"""A row that an action is about: `("file", id)` or `("session", id)`."""


@dataclass(frozen=True, slots=True)
class UnexpectedError:
    """Whom a mistake concerns, in which step, and until when it waits (unix seconds). `text` is a whole sentence."""

    subject: Subject
    step: str
    name: str
    text: str
    since: float
    until: float
    times: int = 1


class Mistakes:
    """The mistakes that have not been made good yet."""

    def __init__(self) -> None:
        self._known: dict[Subject, UnexpectedError] = {}
        self._in_a_row = 0

    @property
    def too_many(self) -> bool:
        """Whether so many followed each other that the program as a whole cannot be trusted."""
        return self._in_a_row >= MOST_IN_A_ROW

    def made(self, subjects: Iterable[Subject], step: str, name: str, text: str, now: float) -> float:
        """Note one action's mistake; returns the seconds after which it is tried again."""
        self._in_a_row += 1
        longest = 0.0
        for subject in subjects:
            before = self._known.get(subject)
            times, since = (before.times + 1, before.since) if before else (1, now)
            pause = min(FIRST_PAUSE * 2.0 ** (times - 1), LONGEST_PAUSE)
            longest = max(longest, pause)
            self._known[subject] = UnexpectedError(subject, step, name, text, since, now + pause, times)
        return longest

    def done(self, subjects: Iterable[Subject]) -> None:
        """An action came to its end as foreseen."""
        self._in_a_row = 0
        self.ended(subjects)

    def ended(self, subjects: Iterable[Subject]) -> None:
        """They need nothing any more, by whatever way they came to their ends."""
        for subject in subjects:
            self._known.pop(subject, None)

    def try_now(self, now: float, name: str | None = None) -> tuple[UnexpectedError, ...]:
        """A person wants them tried at once, or those of this name; returns those that were waiting for another try."""
        wanted = (mistake for mistake in self._known.values() if name in {None, mistake.name})
        waiting = tuple(mistake for mistake in wanted if mistake.until > now)
        self._known.update({mistake.subject: replace(mistake, until=now) for mistake in waiting})
        return waiting

    def current(self, now: float) -> tuple[UnexpectedError, ...]:
        """All of them; one that nobody has asked for in a long while is forgotten."""
        for subject in [s for s, m in self._known.items() if m.until + LONGEST_PAUSE < now]:
            del self._known[subject]
        return tuple(self._known.values())


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions that a group is made of; itself where it is none."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
