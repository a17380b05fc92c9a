"""What a person has tried now: all that is held, or one hold and nothing else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from uploader.core.hold_causes import CAUSES
from uploader.core.model import Hold, HoldCause, Scope
from uploader.daemon.control import answered
from uploader.daemon.requests import Follow, handlers
from uploader.daemon.trying import Trying
from uploader.journal import Journal

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

LATER = 9e9


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Two targets and the platform are held in it."""
    made = Journal(tmp_path)
    for scope, subject, cause in (
        (Scope.TARGET, "p-1/a", HoldCause.TARGET_REFUSED),
        (Scope.TARGET, "p-1/b", HoldCause.TARGET_REFUSED),
        (Scope.PLATFORM, "", HoldCause.KEY_REFUSED),
    ):
        await made.holds.set(Hold(scope, subject, "No.", "Ask.", time.time(), LATER, cause=cause))
    yield made
    made.close()


class Daemon:
    """What it would do is noted."""

    def __init__(self, journal: Journal, *more: Hold) -> None:
        self.did: list[Any] = []
        self._trying = Trying(
            journal,
            lambda: (*journal.live.all_holds(), *more),
            lambda name: self._note("mistakes", name),
            lambda name: self._note("folders", name),
            lambda: self.did.append("platform"),
        )
        nothing: Any = None
        follow = Follow(self._trying, lambda _: None, lambda: "token")
        self._handlers = handlers(journal, nothing, nothing, follow)

    def _note(self, what: str, name: str | None) -> int:
        self.did.append((what, name))
        return 1

    async def ask(self, **request: Any) -> dict[str, Any]:
        """As its control socket answers."""
        return await answered(self._handlers, {"command": "retry", **request})


def named(scope: str, subject: str = "") -> dict[str, str]:
    """A hold as a request names it."""
    return {"scope": scope, "subject": subject}


async def test_one_hold_is_tried_and_the_others_wait_on(journal: Journal) -> None:
    """Of three holds one is due at once, and the platform is asked, for no file may wait for this target."""
    daemon = Daemon(journal)
    answer = await daemon.ask(hold=named("target", "p-1/a"))

    assert answer == {"ok": True, "tried": 1}
    until = {hold.subject: hold.until for hold in journal.live.holds}
    assert until == {"p-1/a": 0.0, "p-1/b": LATER, "": LATER}
    assert daemon.did == ["platform"]


async def test_everything_is_tried_at_once(journal: Journal) -> None:
    """All holds, all folders, all mistakes, and the platform."""
    daemon = Daemon(journal)

    assert await daemon.ask(held=True) == {"ok": True, "tried": 4}
    assert {hold.until for hold in journal.live.holds} == {0.0}
    assert daemon.did == [("mistakes", None), ("folders", None), "platform"]


async def test_a_folder_is_looked_at_and_a_mistake_is_tried_again(journal: Journal) -> None:
    """Each by its name."""
    mute = Hold(Scope.FOLDER, "/srv/a", "It does not answer.", cause=HoldCause.FOLDER_MUTE)
    mistake = Hold(Scope.SESSION, "up_1", "A mistake.", cause=HoldCause.MISTAKE)
    daemon = Daemon(journal, mute, mistake)

    assert (await daemon.ask(hold=named("folder", "/srv/a")))["tried"] == 1
    assert (await daemon.ask(hold=named("session", "up_1")))["tried"] == 1
    assert daemon.did == [("folders", "/srv/a"), ("mistakes", "up_1")]
    assert {hold.until for hold in journal.live.holds} == {LATER}


async def test_what_trying_cannot_end_is_told_with_its_way_out(journal: Journal) -> None:
    """A pause is resumed, not tried; and what nobody holds is not found."""
    pause = Hold(Scope.FOLDER, "/srv/a", "Paused.", "`uploader resume` ends it.", cause=HoldCause.PAUSED)
    daemon = Daemon(journal, pause)

    assert "`uploader resume` ends it." in (await daemon.ask(hold=named("folder", "/srv/a")))["error"]
    assert "folder:/srv/b" in (await daemon.ask(hold=named("folder", "/srv/b")))["error"]
    for nonsense in ("platform", {}, {"scope": "platform"}, named("moon"), {"scope": [], "subject": ""}):
        assert "`scope`" in (await daemon.ask(hold=nonsense))["error"]
    assert daemon.did == []
    assert not CAUSES[HoldCause.PAUSED].tried
