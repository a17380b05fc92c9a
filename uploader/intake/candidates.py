"""Files that are not claimed yet, in memory: the journal's settling rows and what is seen of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

from uploader.core.model import Sighting
from uploader.core.settling import Key, Rule, Settling
from uploader.core.view import Settled


class Candidates:
    """Who settles, and who is ready to be claimed. Touched by the event loop only."""

    def __init__(self, rules: Mapping[str, Rule], clock: Callable[[], float] = time.monotonic) -> None:
        self.settling = Settling(rules)
        self.clock = clock
        self._id_of: dict[Key, int] = {}
        self._key_of: dict[int, Key] = {}
        self._ready: dict[int, Sighting] = {}
        self._sizes: dict[int, int] = {}
        self._later: set[int] = set()

    def add(self, file_id: int, sighting: Sighting) -> bool:
        """Take note of a look at a settling file; returns whether it was written to since the last one."""
        key = (sighting.folder, sighting.path)
        again = key in self.settling
        changed = self.settling.see(sighting, self.clock())
        self._id_of[key] = file_id
        self._key_of[file_id] = key
        self._sizes[file_id] = sighting.size
        if changed:
            self._ready.pop(file_id, None)
            self._later.discard(file_id)
        return changed and again

    def id_of(self, folder: str, path: bytes) -> int | None:
        """The settling row of a path."""
        return self._id_of.get((folder, path))

    def key_of(self, file_id: int) -> Key | None:
        """The path of a settling row."""
        return self._key_of.get(file_id)

    def size(self, file_id: int) -> int:
        """Bytes of the group when it was seen last."""
        return self._sizes.get(file_id, 0)

    def ready(self, file_id: int, sighting: Sighting) -> None:
        """It is quiet and whole."""
        self._ready[file_id] = sighting
        self._later.discard(file_id)

    def ready_sighting(self, file_id: int) -> Sighting | None:
        """The look at which it was found to be quiet and whole."""
        return self._ready.get(file_id)

    def postpone(self, file_id: int, seconds: float) -> None:
        """Look at it again after so many seconds, and not before."""
        self._ready.pop(file_id, None)
        self._later.add(file_id)
        key = self._key_of.get(file_id)
        if key is not None:
            self.settling.postpone(*key, self.clock() + seconds)

    def drop(self, file_id: int) -> None:
        """It was claimed, or is gone."""
        self._ready.pop(file_id, None)
        self._sizes.pop(file_id, None)
        self._later.discard(file_id)
        key = self._key_of.pop(file_id, None)
        if key is not None:
            self._id_of.pop(key, None)
            self.settling.forget(*key)

    def settled(self) -> tuple[Settled, ...]:
        """Everything that may be claimed, the earliest discovered first."""
        return tuple(
            Settled(file_id, sighting.folder, sighting.size)
            for file_id, sighting in sorted(self._ready.items())
        )

    def count(self) -> Counter[str]:
        """How many files settle, by folder."""
        return Counter(folder for folder, _ in self._id_of)

    def coming(self) -> Counter[str]:
        """How many of them can be expected soon, by folder: those that are to be looked at later are not."""
        return Counter(key[0] for file_id, key in self._key_of.items() if file_id not in self._later)
