"""A world with one file, in which calls, disk and process fail on order, one at a time."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AbstractContextManager
from typing import Any

from tests.sim.disk import FOLDER, Disk, Place
from tests.sim.memory import MemoryJournal
from tests.sim.platform import ModelPlatform, refusal
from tests.sim.standins import drive
from tests.sim.world import Crash, World
from tests.support.configured import settings_with
from uploader.convert import Report
from uploader.core import errors as err
from uploader.core.actions import Action
from uploader.core.configuration import Folder
from uploader.core.lifecycle import FILE_ENDS
from uploader.core.model import Sighting
from uploader.core.planner import Plan
from uploader.core.planner_view import PlannerView

PATH = b"0.tif"
ATTEMPTS = 2
LOOKS = 2
"""`max_attempts` and `LOOKS_FOR_ITEMS` in this world: enough to come by each limit."""

Step = tuple[int, str] | str | None
"""The n-th thing that can fail in a turn fails so; or a person does that; or all goes well."""

ANY = ("unreachable", "no answer", "credential")
CALLS = {
    "initiate": (*ANY, "402", "404", "transfer_method"),
    "sign": (*ANY, "403", "422", "forgotten"),
    "complete": (*ANY, "402", "403", "409", "422", "missing", "collection", "forgotten"),
    "fail": (*ANY, "409", "forgotten"),
    "list": (*ANY, "403", "hidden"),
    "item": (*ANY, "403", "404"),
}
"""What each call can be answered, rightly or not: one of each kind that is judged differently."""

NEW = frozenset({"422", "missing", "collection", "forgotten"})
"""What nobody says of a session that is completed."""

LOCAL: dict[str, err.LocalError | OSError | err.RemoteError] = {
    "changed": err.SourceChanged("changed"),
    "unreadable": err.SourceUnreadable("unreadable"),
    "no space": err.NoSpace("no space"),
    "damaged": err.StagedDamaged("damaged"),
    "half": err.RasterUnreadable("half"),
    "refused": err.RasterRefused("refused"),
    "killed": err.ConversionFailed("killed"),
    "i/o": OSError("i/o"),
    "expired": err.StoreRefused("expired", 403),
    "busy": err.StoreRefused("busy", 503),
    "other bytes": err.StoreMismatch("other bytes"),
    "cut": err.NoAnswer("cut"),
}


class Ordered(World):
    """A world with one file, in which things fail on order."""

    def __init__(self, destination: Folder) -> None:
        super().__init__(0)
        self.order: tuple[int, str] | None = None
        self.could: list[tuple[str, ...]] = []
        """What could have failed in this turn, in which ways."""
        self.slowness = 0.0
        self.destination = destination
        self.settings = settings_with(
            batch={"max_files": 1, "linger_seconds": 0.0}, limits={"max_attempts": ATTEMPTS}
        )
        self.platform = _Platform(self.rng, 0.0, 1 << 60, violations=self.wrong)
        self.platform.world = self
        self.disk = _Disk(self.rng, 0.0, wrong=self.wrong)
        self.disk.world = self
        self.disk.write(PATH, "c", self.now)
        self.start()

    def fails(self, *ways: str) -> str:
        """Whether this point was ordered to fail, and how."""
        self.could.append(ways)
        if self.order is not None and self.order[0] == len(self.could) - 1:
            return self.order[1]
        return ""

    def crash(self, name: str) -> None:
        """A crash, on order."""
        if self.fails("crash"):
            raise Crash(name)

    def wrote(self, inode: int, content: str) -> bool:
        """There is one file."""
        return True

    def waits_for(self, view: PlannerView, turn: Plan) -> bool:
        """Whatever ends by itself is waited for."""
        return turn.wake_at is not None

    def _now_ready(self) -> list[Action]:
        return self.running[:]

    def take(self, step: Step) -> bool:
        """One turn, or a person's word; False where the turn found nothing to do and nothing to wait for."""
        if isinstance(step, str):
            paths = None if step == "retry --all" else [FOLDER.encode() + b"/" + PATH]
            drive(self.journal.retrying.retried(paths))
            self.intake.rescan()
            return True
        self.order, self.could = step, []
        found = self.step()
        self.order = None
        return found

    def state(self) -> Hashable:
        """What matters of this moment."""
        assert isinstance(self.journal, MemoryJournal)
        tables = self.journal.tables
        files = [
            (
                *(f.state, f.current, f.staged, bool(f.content), f.session_id is None, bool(f.batch_group)),
                *(
                    f.disposal,
                    min(f.attempts, ATTEMPTS),
                    min(f.looks, 3),
                    min(f.refusals, 3),
                    min(f.losses, 2),
                ),
                *(f.alone, f.retrying_since is None, f.not_before > self.now, bool(f.hold)),
                *(f.id in self.intake.ready, f.id in self.intake.pending, f.id in self.disk.results),
            )
            for f in tables.files.values()
            if f.current or f.staged or f.state not in FILE_ENDS
        ]
        uploads = [
            (
                *(u.state, u.locating, min(u.locate_tries, LOOKS), u.completes_sent > u.completes_clear),
                *(bool(u.initiates_sent), u.readback, u.not_before > self.now, bool(u.hold), len(u.members)),
                *(self._their(u.upload_id), len(u.item_ids), u.body.get("transfer_method")),
            )
            for u in tables.uploads.values()
            if u.live
        ]
        holds = sorted((str(h.scope), (h.until or 0.0) > self.now) for h in tables.holds.values())
        looks = (PATH in self.disk.sources, bool(self.disk.touched), len(self.intake.pending))
        return (*files, *uploads, *holds, tables.learned.get("quota_cap") is None, *looks)

    def _their(self, upload_id: str | None) -> Hashable:
        upload = self.platform.uploads.get(upload_id or "")
        return None if upload is None else (upload.state, len(upload.objects), upload.doubtful)


class _Platform(ModelPlatform):
    world: Ordered

    def _strike(self, call: str, subject: str) -> None:
        theirs = self.uploads.get(subject)
        done = theirs is not None and theirs.state == "completed"
        way = self.world.fails(*(way for way in CALLS[call] if not (done and way in NEW)))
        if way == "forgotten":
            upload = self.uploads.pop(subject if call != "sign" else next(iter(self.uploads), ""), None)
            self._end(upload, "forgotten") if upload is not None and upload.state == "open" else None
            raise refusal(404)
        if way and way != "hidden":
            raise _answer(way)
        self.hidden = way == "hidden"

    hidden = False

    def _lose(self) -> None:
        if way := self.world.fails("no answer"):
            raise _answer(way)

    async def list_items(self, *args: Any, **more: Any) -> list[Any]:
        """The items, unless they are not to be seen yet."""
        found = await super().list_items(*args, **more)
        return [] if self.hidden else found

    async def progress(self, upload_id: str, sent: int) -> None:
        """Never in the way."""

    async def put(self, url: Any, content: str) -> None:
        """Store an object."""
        if way := self.world.fails("expired", "busy", "other bytes", "cut"):
            raise LOCAL[way]
        await super().put(url, content)


class _Disk(Disk):
    world: Ordered

    def claim(self, file_id: int, folder: str, sighting: Sighting, stop: object) -> Any:
        """Copy, or not."""
        if way := self.world.fails("changed", "unreadable", "no space", *self._people()):
            self._person(way)
            raise LOCAL.get(way) or err.SourceChanged("changed")
        return super().claim(file_id, folder, sighting, stop)

    def _people(self) -> tuple[str, ...]:
        """What people do to the source; it is replaced once, or there would be no end of it."""
        return ("gone", "replaced") if self.inodes == 1 else ("gone",)

    def _person(self, way: str) -> None:
        if way == "gone":
            self.remove(PATH)
        elif way == "replaced":
            self.write(PATH, "c", self.world.now)

    async def convert(self, target: Place, alive: object = None, part: object = None) -> Report:
        """Convert, or not."""
        if way := self.world.fails("half", "refused", "killed", "no space", "damaged", *self._people()):
            self._person(way)
            raise LOCAL.get(way) or err.RasterUnreadable("half")
        return await super().convert(target)

    def opened(self, place: Place, size: int) -> AbstractContextManager[Any]:
        """Find the copy damaged, or not."""
        if self.world.fails("damaged"):
            self.results.pop(place.id, None)
        return super().opened(place, size)

    def dispose(self, policy: str, sighting: Sighting, archive: object, stop: object) -> Any:
        """Delete the source, or not."""
        if way := self.world.fails("i/o", *self._people()):
            self._person(way)
            if way == "i/o":
                raise OSError("i/o")
        return super().dispose(policy, sighting, archive, stop)


def _answer(way: str) -> err.RemoteError:
    match way:
        case "unreachable":
            return err.Unreachable("unreachable")
        case "no answer":
            return err.NoAnswer("no answer")
        case "credential":
            return err.CredentialRefused("the key is refused", "Make a new key.")
        case "transfer_method":
            return err.Refused("no", err.Problem(422, "No", "not so", fields=("transfer_method",)))
        case "missing":
            return refusal(422, "objects are missing")
        case "collection":
            return refusal(422, "the collection is closed")
        case _:
            return refusal(int(way))
