"""The settling files of one drop folder: which is looked at next and when, which may be claimed, which waits and why.

It is the only place that knows. Its owner tells it what happened and asks what follows; times are monotonic seconds
that are passed in. Quiet is counted between looks, never assumed: a file that was looked at once is not quiet, however
old its timestamps are. Of a million files as many have a place here as are looked at by turns; the rest waits in line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from uploader.core.model import Sighting
from uploader.core.settle_entry import UNDER_CLAIM, LookChange, SettleEntry, entry_of
from uploader.core.settle_places import Places
from uploader.core.settle_rules import Checked, LookVerdict, Next, Phase, SettleRule, state_of
from uploader.core.waiting_line import Page, WaitingLine

WITHDRAWN = 60.0
"""Seconds after which a file is looked at again that cannot be looked at, or whose folder was held."""


class SettleQueue:
    """The queue of one folder. Rows are known by their ids, and by their paths relative to the folder."""

    def __init__(self, rule: SettleRule, places: int) -> None:
        self.line = WaitingLine(newest_first=rule.order == "newest")
        """Those that have no place."""
        self._rule = rule
        self._places = Places(places, rule.order)
        self._returning: dict[int, float] = {}

    # -- what happened ---------------------------------------------------------------------------------------

    def seen(self, file_id: int, sighting: Sighting, now: float) -> Next | None:
        """A settling row's file was seen in passing. Returns CHANGED or WAIT, and None where it has no place."""
        entry = self._places.get(file_id)
        if self._rule.marker and not sighting.marked and (entry is None or entry.phase not in UNDER_CLAIM):
            return self._unmarked(entry, sighting)
        if entry is not None:
            return Next.CHANGED if self._note(entry, sighting, now) else Next.WAIT
        if file_id in self.line.gave_way or not self._places.room:
            self.line.turned_away(file_id)
            return None
        entry = entry_of(file_id, sighting, now)
        self._places.add(entry)
        self._places.looks.set(file_id, entry.quiet_at(self._rule))
        return Next.WAIT

    def looked(
        self, file_id: int, sighting: Sighting, now: float, checked: Checked | None = None
    ) -> LookVerdict:
        """A file that has a place was looked at, and checked where it seemed untouched.

        A verdict to wait also plans the next look. After SHORT the owner says what comes next.
        """
        entry = self._places[file_id]
        if self._note(entry, sighting, now):
            return LookVerdict(Next.CHANGED)
        if file_id in self._places.claimable or entry.phase in UNDER_CLAIM:
            return LookVerdict(Next.WAIT)
        verdict = entry.verdict(self._rule, now, checked)
        if verdict.kind is Next.READY:
            self.ready(file_id, sighting)
        elif verdict.kind is Next.WAIT:
            self._places.move(entry, verdict.phase)
            self._places.looks.set(file_id, verdict.until)
        return verdict

    def ready(self, file_id: int, sighting: Sighting) -> None:
        """It may be claimed as it was seen there."""
        self._places.move(self._places[file_id], Phase.READY)
        self._places.claimable.put(file_id, sighting)

    def claim_started(self, file_id: int) -> Sighting | None:
        """It is being copied from now on. Returns the look at which it was found ready; None where it is not."""
        sighting = self._places.claimable.get(file_id)
        if sighting is not None:
            self._places[file_id].claimed = state_of(sighting)
            self._places.move(self._places[file_id], Phase.CLAIMING)
        return sighting

    def claim_ended(self, file_id: int) -> None:
        """The file has a private copy, or an end, and is not claimed again. It keeps its place until `let_go`."""
        if entry := self._places.get(file_id):
            self._places.move(entry, Phase.ENDED)
            self._ask_again(entry)

    def let_go(self, file_id: int) -> None:
        """It was claimed or is gone."""
        if entry := self._places.get(file_id):
            self._places.remove(entry)
            self._ask_again(entry)

    def returned(self, file_id: int, until: float) -> None:
        """It has to settle once more, and is not looked at before `until`: its claim failed, or was undone."""
        entry = self._places.get(file_id)
        if entry is None or entry.phase is Phase.ENDED:
            self._returning[file_id] = until
            return
        entry.claimed = None
        self._places.move(entry, Phase.DEFERRED)
        self._places.looks.set(file_id, until)

    def defer(self, file_id: int, until: float) -> None:
        """Look at it again then and not before, unless it is being copied."""
        if not self.under_claim(file_id):
            self.returned(file_id, until)

    def brought_back(self, file_ids: Collection[int], found: Mapping[int, Sighting], now: float) -> None:
        """These were in `returning`; of them `found` settle in this folder, as the journal has seen them last."""
        for file_id in file_ids:
            until = self._returning.pop(file_id, now)
            if file_id not in found:
                continue
            # It was claimed, so its marker was there; the next look sees whether it still is.
            before = replace(found[file_id], marked=self._rule.marker)
            if self.seen(file_id, before, now) is not None:
                self.returned(file_id, until)

    def ask(self, path: bytes) -> None:
        """Look at a path soon, whether it is known or not."""
        self._places.ask(path)

    def withdraw(self, now: float) -> None:
        """A held folder's files are not claimed; copies already running finish."""
        for file_id in list(self._places.claimable):
            self.defer(file_id, now + WITHDRAWN)

    def hasten(self, now: float) -> None:
        """What was the matter is over: look soon at what was deferred."""
        for entry in self._places:
            if entry.phase is Phase.DEFERRED:
                self._places.looks.set(entry.file_id, now)

    def change_rule(self, rule: SettleRule) -> None:
        """The folder's files settle by another rule from now on. Copies that run go on."""
        self._rule = rule
        self.line.newest_first = rule.order == "newest"
        self._places.claimable.reorder(rule.order)
        for entry in list(self._places):
            if entry.phase in UNDER_CLAIM:
                continue
            if rule.marker and not entry.marked:
                self._places.remove(entry)
                self.line.waiting += 1
            elif entry.phase is not Phase.DEFERRED:
                self._places.move(entry, Phase.SETTLING)
                self._places.looks.set(entry.file_id, entry.quiet_at(rule))

    def paged(self, page: Page, rows: Sequence[tuple[int, bytes]]) -> None:
        """The settling rows that were read, by id with their paths: those without a place are looked at."""
        self.line.paged(page, [file_id for file_id, _ in rows])
        for file_id, path in rows:
            if self._places.get(file_id) is None:
                self.ask(path)

    def counted(self, total: int) -> None:
        """So many rows of the folder settled a moment ago; what stands in no line has been claimed since."""
        may_wait = self.line.stands or self._rule.marker or self._places.asked
        self.line.waiting = max(0, total - self._places.count) if may_wait else 0

    # -- what follows ----------------------------------------------------------------------------------------

    def next_looks(self, now: float, most: int) -> dict[bytes, int | None]:
        """Paths to look at now, those that were asked for first, the longest due next; each is handed out once.

        Beside each stands the state at its last look: a file that is found so has not been touched, and is checked.
        """
        return self._places.next_looks(now, most)

    def next_look(self) -> float | None:
        """When a look is due, at once for paths that were asked for; None while nothing is to be looked at."""
        return self._places.next_look()

    def next_turn(self) -> float | None:
        """When a file has to give up its place, because it has not settled within its turn and others wait."""
        if not self.line.stands or self._places.roomy:
            return None
        return next((entry.since + self._rule.turn for entry in self._places.unsettled()), None)

    def next_page(self, now: float) -> Page | None:
        """The rows of the line to read next, once all looks that were handed out have come back; None: no need.

        Where the line waits for places, those whose turn is over leave theirs; it is read where so much room is free
        that it is worth filling.
        """
        if self.asked:
            return None
        self.line.begin_anew()
        self._give_way(now)
        return self.line.next_page(self._places.room) if self._places.roomy else None

    def claimable(self) -> tuple[tuple[int, Sighting], ...]:
        """The first of what may be claimed or is being copied, in the folder's order."""
        return self._places.claimable.shown()

    def first(self, most: int) -> list[bytes]:
        """The paths of those that have a place, so many at most."""
        return [entry.path for entry in islice(self._places, most)]

    def id_of(self, path: bytes) -> int | None:
        """The settling row of a path, if it has a place."""
        entry = self._places.at(path)
        return entry.file_id if entry else None

    def path_of(self, file_id: int) -> bytes | None:
        """The path of a row that has a place and has not ended."""
        entry = self._places.get(file_id)
        return entry.path if entry and entry.phase is not Phase.ENDED else None

    def under_claim(self, file_id: int) -> bool:
        """Whether it is being copied, or was a moment ago."""
        entry = self._places.get(file_id)
        return entry is not None and entry.phase in UNDER_CLAIM

    def arriving(self) -> list[bytes]:
        """The control files beside files that wait for their end."""
        return [] if self._rule.marker else [entry.control for entry in self._places.arriving]

    def unfinished(self) -> int:
        """How many wait for what only others do: the end of their transfer, or their ready marker."""
        return len(self.arriving()) if self._places.count or not self._rule.marker else self.line.waiting

    @property
    def copying(self) -> bool:
        """Whether any is being copied."""
        return self._places.counted(Phase.CLAIMING) > 0

    @property
    def returning(self) -> tuple[int, ...]:
        """Rows that have to settle once more, and have still to be found in the journal."""
        return tuple(self._returning)

    @property
    def asked(self) -> bool:
        """Whether paths are to be looked at soon."""
        return self._places.asked

    def expected(self, *, faulty: bool) -> int:
        """How many files will be claimed later. `faulty`: a part of the folder is at fault; its files do not count."""
        known = self._places.count + len(self._returning)
        if not faulty:
            return known + self.line.waiting
        return known - self._places.counted(Phase.DEFERRED) + (self.line.waiting if self._places.room else 0)

    def coming(self, now: float, within: float) -> bool:
        """Whether any file can be expected to become ready within so many seconds."""
        since = self._places.quiet_since
        return since is not None and since + self._rule.quiet <= now + within

    def _ask_again(self, entry: SettleEntry) -> None:
        """What was written to while it was copied is looked at as a new file."""
        if entry.touched:
            self.ask(entry.path)

    def _give_way(self, now: float) -> None:
        """Those whose turn is over leave their places to others that wait, the oldest first; half of them at most."""
        if (at := self.next_turn()) is None or at > now:
            return
        late = (entry for entry in self._places.unsettled() if entry.since + self._rule.turn <= now)
        leaving = list(islice(late, max(1, self._places.total // 2)))
        for entry in leaving:
            self._places.remove(entry)
        self.line.give_way([entry.file_id for entry in leaving])

    def _unmarked(self, entry: SettleEntry | None, sighting: Sighting) -> Next | None:
        """A file whose marker is missing takes no place: its marker brings it up."""
        if entry is None:
            self.line.waiting = max(self.line.waiting, 1)
            return None
        changed = entry.state != state_of(sighting)
        self._places.remove(entry)
        self.line.waiting += 1
        return Next.CHANGED if changed else Next.WAIT

    def _note(self, entry: SettleEntry, sighting: Sighting, now: float) -> bool:
        """Take note of a look. Returns whether the file was written to since the last one."""
        change = entry.note(sighting, now)
        self._places.looked(entry)
        written = change is LookChange.WRITTEN
        if entry.phase in UNDER_CLAIM:
            if written:
                self._places.claimable.drop(entry.file_id)
        elif change is not LookChange.NONE:
            # A file that was begun a moment ago may be finished by now.
            grows = written and now >= entry.since + self._rule.quiet
            self._places.move(entry, Phase.WRITTEN if grows else Phase.SETTLING)
            self._places.looks.set(entry.file_id, entry.quiet_at(self._rule))
        elif entry.phase is Phase.WRITTEN:
            self._places.move(entry, Phase.SETTLING)
        return written
