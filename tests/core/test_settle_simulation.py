"""Histories of one drop folder: the queue beside a naive model that keeps every look and counts anew each time."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from uploader.core import settle_rules
from uploader.core.model import Fingerprint, Sighting
from uploader.core.settle_queue import WITHDRAWN, SettleQueue
from uploader.core.settle_rules import Checked, Next, Phase, SettleRule

pytestmark = pytest.mark.unit

QUIET, PLACES, TURN = 10.0, 4, 40.0


@dataclass
class File:
    """What truly lies at a path; `row` is its settling version in the journal, 0 where there is none."""

    path: bytes
    version: int = 0
    written: float = 0.0
    marked: bool = False
    control: bytes = b""
    open: bool = False
    row: int = 0

    def seen(self) -> Sighting:
        """A look at it."""
        print_ = Fingerprint(1, 1, self.version, 0, self.version)
        return Sighting("/drop", self.path, print_, (), self.marked, self.control)


@dataclass
class Known:
    """The naive model of a file with a place: all looks at it since it got the place, and what was done with it."""

    file: File
    row: int
    since: float
    looks: list[tuple[float, Sighting]] = field(default_factory=list)
    does: str = "settles"
    due: float | None = None
    claimed: Sighting | None = None
    offered: bool = False
    """It is being copied, and no look has shown a change since."""

    def same(self, one: Sighting, other: Sighting) -> bool:
        """Whether nothing was written between two looks."""
        return one.fingerprint == other.fingerprint

    def quiet_since(self) -> float:
        """The first of the last looks that all saw the same, with its marker there and its control file not."""
        at, last = self.looks[-1]
        for time, look in reversed(self.looks):
            if (
                not self.same(look, last)
                or look.marked < last.marked
                or bool(look.control) != bool(last.control)
            ):
                break
            at = time
        return at


class History:
    """One folder for a while: random things happen, and after each of them queue and model must agree."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.marker = seed % 4 == 0
        self.rule = SettleRule(QUIET, "oldest", marker=self.marker)
        self.queue = SettleQueue(self.rule, PLACES)
        self.files = [File(b"%d.tif" % n) for n in range(9)]
        self.now, self.rows = 1000.0, 0
        self.known: dict[int, Known] = {}
        self.done: list[tuple[bytes, int]] = []
        """Paths and versions that were claimed."""
        self.copying: dict[int, Sighting] = {}
        self.ended: list[int] = []

    # -- the world -------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Somebody writes, begins or ends a transfer, sets or removes a marker."""
        file = self.random.choice(self.files)
        match self.random.randrange(5):
            case 0:
                file.marked = not file.marked
            case 1:
                file.control = b"" if file.control else file.path + b".part"
            case 2:
                file.open = not file.open
            case _:
                file.version, file.written = file.version + 1, self.now

    def wait(self) -> None:
        """Time passes."""
        self.now += self.random.choice((0.5, 3.0, QUIET, TURN))

    def enter(self, file: File, sighting: Sighting) -> int:
        """The journal's row for a file as it is: a new one where it has none that settles, and none that is it."""
        if not file.row and (file.path, file.version) not in self.done:
            self.rows += 1
            file.row = self.rows
        return file.row

    # -- what the owner of the queue does ----------------------------------------------------------------------

    def scan(self) -> None:
        """Everything is seen in passing."""
        for file in self.files:
            if file.version:
                self.see(file)
        self.queue.counted(sum(1 for file in self.files if file.row))

    def see(self, file: File) -> None:
        """One file is seen in passing."""
        sighting = file.seen()
        row = self.queue.id_of(file.path) or self.enter(file, sighting)
        if not row:
            return
        known = self.known.get(row)
        told = self.queue.seen(row, sighting, self.now)
        if known is None:
            if told is not None:
                self.known[row] = Known(file, row, self.now, [(self.now, sighting)])
                self.known[row].due = self.now + self.rule.quiet
            return
        leaves = self.marker and not sighting.marked and known.does not in {"copies", "ended"}
        assert (told is Next.CHANGED) == self.note(known, sighting, leaves=leaves)
        if leaves:
            del self.known[row]

    def note(self, known: Known, sighting: Sighting, *, leaves: bool = False) -> bool:
        """Add a look; returns whether it shows that the file was written to, or arrives again."""
        last = known.looks[-1][1]
        known.looks.append((self.now, sighting))
        changed = not known.same(last, sighting)
        again = bool(sighting.control and not last.control) and not leaves
        spoken = (sighting.marked and not last.marked) or (last.control and not sighting.control)
        if (changed or again or spoken) and known.does not in {"copies", "ended"}:
            known.does = (
                "grows" if (changed or again) and self.now >= known.since + self.rule.quiet else "settles"
            )
            known.due = None if self.marker and not sighting.marked else self.now + self.rule.quiet
        elif known.does == "grows":
            known.does = "settles"
        known.offered = known.offered and not (changed or again)
        return changed or again

    def look(self) -> None:
        """Those are looked at who are handed out: all whose time has come, and nobody else."""
        asked = set(self.queue._places._asked)
        handed = self.queue.next_looks(self.now, 100)
        due = {
            known.file.path
            for known in self.known.values()
            if known.due is not None and known.due <= self.now
        }
        assert set(handed) == due | asked
        for path, state in handed.items():
            file = next(file for file in self.files if file.path == path)
            row = self.queue.id_of(path)
            if row is None:
                self.see(file)
                continue
            known = self.known[row]
            if known.due is not None and known.due <= self.now:
                known.due = None
            self.judge(known, state)

    def judge(self, known: Known, state: int | None) -> None:
        """A close look at one file, and what has to follow from it."""
        sighting = known.file.seen()
        untouched = known.same(known.looks[-1][1], sighting)
        assert untouched == (state == hash((sighting.path, sighting.fingerprint, sighting.sidecars)))
        checked = Checked(held=known.file.open) if untouched else None
        before = known.does
        changed = self.note(known, sighting)
        verdict = self.queue.looked(known.row, sighting, self.now, checked)
        assert (verdict.kind is Next.CHANGED) == changed
        if changed or before in {"ready", "copies", "ended"}:
            return
        quiet_at = known.quiet_since() + self.rule.quiet
        speaks = self.marker and sighting.marked
        if sighting.control and not self.marker:
            known.does, known.due = "later", self.now + 30.0
        elif self.marker and not sighting.marked:
            known.due = None
        elif self.now < quiet_at:
            known.due = quiet_at
        elif known.file.open and not speaks:
            known.does, known.due = "grows", self.now + QUIET
        else:
            assert known.file.written <= self.now - self.rule.quiet, (
                "nobody is ready within the quiet time of a write"
            )
            known.does, known.due = "ready", None
        assert (verdict.kind is Next.READY) == (known.does == "ready")

    def claim(self) -> None:
        """Somebody copies a file that is offered."""
        offered = [row for row, _ in self.queue.claimable() if row not in self.copying]
        if offered:
            row = self.random.choice(offered)
            sighting = self.queue.claim_started(row)
            assert sighting is not None
            self.copying[row] = self.known[row].claimed = sighting
            self.known[row].does, self.known[row].offered = "copies", True

    def end(self) -> None:
        """A copy is whole, or could not be made; the owner learns of it later."""
        if not self.copying:
            return
        row = self.random.choice(list(self.copying))
        sighting, known = self.copying.pop(row), self.known[row]
        if self.random.random() < 0.3:
            self.queue.returned(row, self.now + 7.0)
            known.does, known.due, known.claimed, known.offered = "later", self.now + 7.0, None, False
            return
        self.done.append((sighting.path, sighting.fingerprint.size))
        known.file.row, known.does, known.offered = 0, "ended", False
        self.queue.claim_ended(row)
        self.ended.append(row)

    def let_go(self) -> None:
        """The owner reads that copies have ended; who was written to since is looked at as a new file."""
        for row in self.ended:
            known = self.known.pop(row)
            assert known.claimed is not None
            self.queue.let_go(row)
            if not known.same(known.claimed, known.looks[-1][1]):
                assert known.file.path in self.queue._places._asked
        self.ended.clear()

    def hold(self) -> None:
        """The folder is held for a while, or is well again."""
        if self.random.random() < 0.5:
            self.queue.withdraw(self.now)
            for known in self.known.values():
                if known.does == "ready":
                    known.does, known.due = "later", self.now + WITHDRAWN
        else:
            self.queue.hasten(self.now)
            for known in self.known.values():
                known.due = self.now if known.does == "later" else known.due

    def move(self) -> None:
        """Who waits is let into places that are free, or that others give up after their turn."""
        late = [k.row for k in self.known.values() if k.does in {"settles", "grows", "later"}]
        late = [row for row in late if self.known[row].since + TURN <= self.now]
        self.page()
        for row in [row for row in late if self.queue.path_of(row) is None]:
            del self.known[row]

    def page(self) -> None:
        """Read as many rows of the line as are asked for."""
        while page := self.queue.next_page(self.now):
            rows = sorted((file.row, file.path) for file in self.files if file.row > page.after)
            self.queue.paged(page, rows[: page.most])

    # -- what must hold -----------------------------------------------------------------------------------------

    def agree(self) -> None:
        """The queue says of everything what the model counts."""
        known = self.known.values()
        assert {row for row, _ in self.queue.claimable()} == {
            k.row for k in known if k.does == "ready" or k.offered
        }
        assert all(self.queue.id_of(k.file.path) == k.row for k in known)
        assert len(list(self.queue._places)) == len(self.known) <= PLACES
        settles = sum(k.does == "settles" for k in known)
        assert self.queue._places.counted(Phase.SETTLING) == settles
        assert self.queue.coming(self.now, QUIET) is (settles > 0)
        present = sum(k.does not in {"later", "ended"} for k in known)
        waiting = self.queue.line.waiting if len(self.known) < PLACES else 0
        assert self.queue.expected(faulty=True) == present + waiting
        if not self.queue.asked:
            assert self.queue.next_look() == min((k.due for k in known if k.due is not None), default=None)

    def run(self, steps: int) -> None:
        """So many things happen; then all is left alone, and every file has to come through."""
        does = [self.write] * 4 + [self.wait] * 4 + [self.look] * 4 + [self.scan, self.move, self.hold]
        does += [self.claim] * 2 + [self.end, self.let_go]
        for _ in range(steps):
            self.random.choice(does)()
            self.agree()
        for file in self.files:
            file.control, file.open, file.marked = b"", False, True
        for _ in range(60):
            for step in (self.scan, self.move, self.look, self.claim, self.end, self.let_go, self.wait):
                step()
                self.agree()
        assert {file.path: file.version for file in self.files if file.version}.items() <= set(self.done)
        assert self.queue.expected(faulty=False) == 0


@pytest.mark.parametrize("part", range(4))
def test_queue_and_model_agree_in_every_history(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is ready too early, nobody is looked at twice or never, nobody is forgotten in the line."""
    monkeypatch.setattr(settle_rules, "TURN", TURN)
    for seed in range(part * 40, part * 40 + 40):
        try:
            History(seed).run(150)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error
