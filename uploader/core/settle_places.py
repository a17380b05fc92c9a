"""The files of one drop folder that have a place: they are looked at by turns, until they may be claimed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import islice

from uploader.core.claim_order import Order
from uploader.core.claimable_files import ClaimableFiles
from uploader.core.file_times import FileTimes
from uploader.core.settle_entry import CLAIMABLE, DONE, SettleEntry
from uploader.core.settle_rules import Phase

FILLED = 500
"""Places that are filled together."""

READY_MOST = 500
"""Files that are ready at once. The claims are slower than the looks, and a look grows old."""


class Places:
    """So many places, by the ids of their rows and by the paths; who got one first comes first."""

    def __init__(self, total: int, order: Order) -> None:
        self.total = max(1, total)
        self.looks = FileTimes()
        """When each is looked at next; a file that is ready or being claimed has no such time."""
        self._quiet_since = FileTimes()
        """Since when each settling file is quiet. It is kept in order, for every turn asks for the first."""
        self.claimable = ClaimableFiles(order)
        self._entries: dict[int, SettleEntry] = {}
        self._id_of: dict[bytes, int] = {}
        self._phases: Counter[Phase] = Counter()
        self._arriving: dict[int, SettleEntry] = {}
        self._asked: dict[bytes, None] = {}

    def __iter__(self) -> Iterator[SettleEntry]:
        return iter(self._entries.values())

    def __getitem__(self, file_id: int) -> SettleEntry:
        return self._entries[file_id]

    def get(self, file_id: int) -> SettleEntry | None:
        """The file of a row, if it has a place."""
        return self._entries.get(file_id)

    def at(self, path: bytes) -> SettleEntry | None:
        """The file at a path, if it has a place."""
        return self._entries.get(self._id_of.get(path, 0))

    def add(self, entry: SettleEntry) -> None:
        """Give a file a place. A path has one settling row at a time: an older one loses its place."""
        if older := self.at(entry.path):
            self.remove(older)
        self._entries[entry.file_id] = entry
        self._id_of[entry.path] = entry.file_id
        self._phases[entry.phase] += 1
        self.looked(entry)

    def looked(self, entry: SettleEntry) -> None:
        """Note what a look has changed of a file. Who still arrives is kept apart, for every turn asks for it."""
        self._settles(entry)
        if entry.control:
            self._arriving[entry.file_id] = entry
        else:
            self._arriving.pop(entry.file_id, None)

    def move(self, entry: SettleEntry, phase: Phase) -> None:
        """Note where a file stands from now on."""
        self._phases[entry.phase] -= 1
        self._phases[phase] += 1
        entry.phase = phase
        self._settles(entry)
        if phase not in CLAIMABLE:
            self.claimable.drop(entry.file_id)
        if phase in DONE:
            self.looks.set(entry.file_id, None)

    def remove(self, entry: SettleEntry) -> None:
        """Take a file's place."""
        self.move(entry, Phase.ENDED)
        self._phases[Phase.ENDED] -= 1
        del self._entries[entry.file_id]
        del self._id_of[entry.path]
        self._arriving.pop(entry.file_id, None)

    def counted(self, phase: Phase) -> int:
        """How many stand there."""
        return self._phases[phase]

    @property
    def quiet_since(self) -> float | None:
        """Since when the settling file is quiet that has been quiet longest; None where none settles."""
        return self._quiet_since.first()

    @property
    def count(self) -> int:
        """How many files have places and have not ended."""
        return len(self._entries) - self._phases[Phase.ENDED]

    @property
    def arriving(self) -> Collection[SettleEntry]:
        """The files that have control files beside them."""
        return self._arriving.values()

    @property
    def room(self) -> int:
        """How many places are free."""
        return max(0, self.total - len(self._entries))

    @property
    def roomy(self) -> bool:
        """Whether so much room is free that it is worth filling."""
        return self.room >= min(FILLED, (self.total + 1) // 2)

    @property
    def enough_ready(self) -> bool:
        """Whether so many files are ready that no other needs a look for now."""
        return len(self.claimable) >= READY_MOST

    @property
    def asked(self) -> bool:
        """Whether paths were asked for that are not looked at yet."""
        return bool(self._asked)

    def ask(self, path: bytes) -> None:
        """Look at a path soon, whether it has a place or not."""
        self._asked[path] = None

    def next_looks(self, now: float, most: int) -> dict[bytes, int | None]:
        """Paths to look at now, each with the state at its last look; see `SettleQueue.next_looks`."""
        looks: dict[bytes, int | None] = {}
        for path in list(islice(self._asked, most)):
            del self._asked[path]
            entry = self.at(path)
            looks[path] = entry.state if entry else None
        while len(looks) < most and not self.enough_ready:
            file_id = self.looks.pop(now)
            if file_id is None:
                break
            looks[self[file_id].path] = self[file_id].state
        return looks

    def next_look(self) -> float | None:
        """When a look is due, at once for paths that were asked for; None while nothing is to be looked at."""
        if self._asked:
            return float("-inf")
        return None if self.enough_ready else self.looks.first()

    def _settles(self, entry: SettleEntry) -> None:
        self._quiet_since.set(entry.file_id, entry.quiet_since if entry.phase is Phase.SETTLING else None)

    def unsettled(self) -> Iterator[SettleEntry]:
        """The files that are neither ready nor being claimed, by the age of their places."""
        return (entry for entry in self if entry.phase not in DONE)
