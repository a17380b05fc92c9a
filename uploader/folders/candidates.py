"""Files that are not claimed yet, in memory: as many of the journal's settling rows as are looked at now.

The rest waits in the journal, so that a million files cost no more than those of a window. What is here is the truth
about who settles: it changes at the moment a file is claimed, while what was read from the journal is old by then.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from uploader.core.model import Sighting
from uploader.core.planner_view import Settled
from uploader.core.settle_rules import Key, SettleRule, Settling

WINDOW = 20_000
"""Files that are looked at by turns, of all folders together: some ten megabytes."""

WITHDRAWN = 60.0
"""Seconds after which a file of a folder that is held is looked at again."""

FILLED = 500
"""Places that are filled together."""

READY_MOST = 500
"""Files of a folder that are ready at once. The claims are slower than the looks, and a look grows old."""


@dataclass(slots=True)
class _Known:
    key: Key
    since: float
    """When it was first looked at."""
    later: bool = False
    """It is to be looked at later, and not expected soon."""
    written: bool = False
    """Somebody still writes to it: it grows, or is open for writing."""


class Unclaimed:
    """Who settles, and who is ready to be claimed. Touched by the event loop only."""

    def __init__(
        self,
        rules: Mapping[str, SettleRule],
        clock: Callable[[], float] = time.monotonic,
        window: int = WINDOW,
    ) -> None:
        self._settling = {folder: Settling({folder: rule}) for folder, rule in rules.items()}
        self.clock = clock
        self._share = max(1, window // max(1, len(rules)))
        self._id_of: dict[Key, int] = {}
        self._known: dict[int, _Known] = {}
        self._ready: dict[int, Sighting] = {}
        self._ready_in: Counter[str] = Counter()
        self._claiming: dict[int, Sighting] = {}
        self._count: Counter[str] = Counter()
        self._later: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._turns: list[set[int]] = []

    def settling(self, folder: str) -> Settling:
        """What the looks at the files of one folder showed."""
        return self._settling[folder]

    @contextmanager
    def turn(self) -> Iterator[set[int]]:
        """The ids of files that end while the block runs: what was read of them before is no longer true."""
        ended: set[int] = set()
        self._turns.append(ended)
        try:
            yield ended
        finally:
            self._turns = [other for other in self._turns if other is not ended]

    def room(self, folder: str) -> int:
        """How many more files of a folder can be looked at by turns."""
        return max(0, self._share - self._count[folder])

    def roomy(self, folder: str) -> bool:
        """Whether there is so much room that it is worth filling."""
        return self.room(folder) >= min(FILLED, (self._share + 1) // 2)

    def give_way(self, folder: str, turn: float) -> list[int]:
        """Drop those that have not settled within a turn (seconds), the oldest first; half of the places at most."""
        began = self.clock() - turn
        late = (
            file_id
            for file_id, known in self._known.items()
            if known.key[0] == folder and known.since <= began and file_id not in self._ready
        )
        leaving = list(islice(late, max(1, self._share // 2)))
        for file_id in leaving:
            self.drop(file_id)
        return leaving

    def add(self, file_id: int, sighting: Sighting) -> bool:
        """Take note of a look at a settling file; returns whether it was written to since the last one."""
        key = (sighting.folder, sighting.path)
        known = self._known.get(file_id)
        if known is None:
            if key in self._id_of:
                self.drop(self._id_of[key])
            known = self._known[file_id] = _Known(key, self.clock())
            self._id_of[key] = file_id
            self._count[key[0]] += 1
        settling = self.settling(key[0])
        again = known.key in settling
        now = self.clock()
        changed = settling.see(sighting, now)
        if changed:
            self._unready(file_id)
            self._soon(known)
        grew = changed and again
        # A file that was begun a moment ago may be finished by now.
        self._note_written(known, grew and now >= known.since + settling.quiet_seconds(key[0]))
        return grew

    def id_of(self, folder: str, path: bytes) -> int | None:
        """The settling row of a path, if it is looked at by turns."""
        return self._id_of.get((folder, path))

    def key_of(self, file_id: int) -> Key | None:
        """The path of a settling row that is looked at by turns."""
        known = self._known.get(file_id)
        return known.key if known else None

    def full(self, folder: str) -> bool:
        """Whether enough of a folder are ready."""
        return self._ready_in[folder] >= READY_MOST

    def ready(self, file_id: int, sighting: Sighting) -> None:
        """It is quiet and whole."""
        self._unready(file_id)
        self._ready[file_id] = sighting
        self._ready_in[sighting.folder] += 1
        self._soon(self._known[file_id])
        self._note_written(self._known[file_id], written=False)

    def claiming(self, file_id: int) -> Sighting | None:
        """The look at which it was found to be quiet and whole; from now on it is being copied."""
        sighting = self._ready.get(file_id)
        if sighting is not None:
            self._claiming[file_id] = sighting
        return sighting

    def being_claimed(self, file_id: int) -> bool:
        """Whether it is being copied."""
        return file_id in self._claiming

    def touched(self, file_id: int) -> bool:
        """Whether it was written to since the look at which its copying began."""
        sighting = self._claiming.get(file_id)
        return sighting is not None and not self.settling(sighting.folder).same(sighting)

    def postpone(self, file_id: int, seconds: float) -> None:
        """Look at it again after so many seconds, and not before."""
        self._unready(file_id)
        self._claiming.pop(file_id, None)
        known = self._known.get(file_id)
        if known is None:
            return
        if not known.later:
            known.later = True
            self._note_written(known, written=False)
            self._later[known.key[0]] += 1
        self.settling(known.key[0]).postpone(*known.key, self.clock() + seconds)

    def withdraw(self, folder: str) -> None:
        """Nobody of a folder may be claimed for now; who is being copied goes on."""
        for file_id, sighting in list(self._ready.items()):
            if sighting.folder == folder and file_id not in self._claiming:
                self.postpone(file_id, WITHDRAWN)

    def hasten(self, folder: str) -> None:
        """Look soon at what was postponed in a folder."""
        now = self.clock()
        for known in self._known.values():
            if known.later and known.key[0] == folder:
                self.settling(folder).postpone(*known.key, now)

    def drop(self, file_id: int) -> None:
        """It was claimed, or is gone, or leaves its place to others."""
        for ended in self._turns:
            ended.add(file_id)
        self._unready(file_id)
        self._claiming.pop(file_id, None)
        known = self._known.pop(file_id, None)
        if known is None:
            return
        self._soon(known)
        self._note_written(known, written=False)
        self._count[known.key[0]] -= 1
        if self._id_of.get(known.key) == file_id:
            del self._id_of[known.key]
            self.settling(known.key[0]).forget(*known.key)

    def settled(self) -> tuple[Settled, ...]:
        """Everything that may be claimed, the earliest discovered first."""
        return tuple(
            Settled(file_id, self._ready[file_id].folder, self._ready[file_id].size)
            for file_id in sorted(self._ready)
        )

    def count(self, folder: str) -> int:
        """How many files of a folder are looked at by turns."""
        return self._count[folder]

    def present(self, folder: str) -> int:
        """How many of them are not put off to a later look."""
        return self._count[folder] - self._later[folder]

    def open_for_writing(self, file_id: int) -> None:
        """A writer holds it open."""
        if file_id in self._known:
            self._note_written(self._known[file_id], written=True)

    def coming(self, folder: str, within: float) -> int:
        """How many can be expected to have settled within so many seconds; those that are ready are counted no more."""
        settling = self.settling(folder)
        if settling.quiet_seconds(folder) <= within:
            return self._count[folder] - self._later[folder] - self._written[folder] - self._ready_in[folder]
        at = self.clock() + within
        return sum(
            1
            for file_id, known in self._known.items()
            if known.key[0] == folder
            and not (known.later or known.written or file_id in self._ready)
            and settling.quiet_by(*known.key, at)
        )

    def _note_written(self, known: _Known, written: bool) -> None:  # noqa: FBT001 - it is what is noted
        if known.written != written:
            known.written = written
            self._written[known.key[0]] += 1 if written else -1

    def _unready(self, file_id: int) -> None:
        sighting = self._ready.pop(file_id, None)
        if sighting is not None:
            self._ready_in[sighting.folder] -= 1

    def _soon(self, known: _Known) -> None:
        if known.later:
            known.later = False
            self._later[known.key[0]] -= 1
