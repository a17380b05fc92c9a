"""Probes while idle, with the real calls against a real sandbox and a real journal; only the clock is the test's."""

from __future__ import annotations

import json
import random
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.configured import a_folder
from tests.support.tools import few
from uploader.core.configuration import Folder
from uploader.core.failure_policy import PROBE_REFUSED
from uploader.core.idle_probes import FAILING, FIRST, HELD, IDLE
from uploader.core.model import Hold, HoldCause, Scope
from uploader.effects.idle_probe import IdleProbe
from uploader.journal import Journal
from uploader.platform.geopera import Timeouts, open_platform

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]

sandbox = pytest.importorskip("uploader.sandbox", reason="the sandbox extra is not installed")


class Idle:
    """A daemon's probe, at a time that the test sets."""

    def __init__(self, box: Any, journal: Journal, platform: Any, **destinations: Folder) -> None:
        self.box = box
        self.now = 0.0
        self.tools = few(
            journal=journal,
            platform=platform,
            destinations=destinations,
            random=random.Random(1),
            platform_held_since=None,
            answered_at=0.0,
            began=1.0,
            asked_to_wait_until=0.0,
        )
        self.probe = IdleProbe(self.tools, monotonic=lambda: self.now)

    async def after(self, seconds: float) -> list[tuple[str, str]]:
        """Scope and cause of what is held so much later."""
        self.now += seconds
        self.tools.note_holds(self.holds())
        await self.probe.look()
        return [(hold.scope.value, hold.cause.value) for hold in self.holds()]

    def holds(self) -> list[Hold]:
        """All that there are."""
        return [*self.tools.journal.live.all_holds(), *self.probe.outage()]

    def asked(self) -> int:
        """How many calls there were."""
        return int(self.tools.platform.calls.total())

    def order(self, what: str, value: Any, method: str = "POST") -> None:
        """Tell the sandbox something."""
        request = urllib.request.Request(
            f"{self.box.base_url}/sandbox/{what}",
            data=json.dumps(value).encode(),
            method=method,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10):
            pass


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Idle]:
    """A daemon with two folders for one project."""
    with sandbox.Sandbox(sandbox.Options(root=tmp_path / "box", rate_limit=0)) as box:
        journal = Journal(tmp_path)
        opened = open_platform(
            base_url=box.base_url,
            auth="api_key",
            client_id="geopera",
            read_key=lambda: box.api_key,
            requests_per_minute=0,
            timeouts=Timeouts(call=20),
        )
        async with opened as (platform, _):
            yield Idle(box, journal, platform, a=a_folder(box.project_id), b=a_folder(box.project_id))
        journal.close()


async def test_one_call_a_project_a_few_times_an_hour(idle: Idle) -> None:
    """And none while others call: what they find says as much."""
    assert await idle.after(FIRST - 1) == []
    assert idle.asked() == 0
    assert await idle.after(1) == []
    assert idle.asked() == 1
    await idle.after(IDLE - 1)
    assert idle.asked() == 1
    await idle.tools.platform.list_items(idle.box.project_id, limit=1)
    await idle.after(1)
    await idle.after(IDLE - 1)
    assert idle.asked() == 2
    await idle.after(1)
    assert idle.asked() == 3


async def test_a_person_need_not_wait_for_the_probe(idle: Idle) -> None:
    """Whoever has mended the cause has it asked at the next look."""
    await idle.after(FIRST)
    idle.probe.soon()
    await idle.after(1)
    assert idle.asked() == 2


async def test_a_key_that_is_revoked_while_idle_is_found_and_its_return_too(idle: Idle) -> None:
    """The same hold as that of a real call, which the next probe ends."""
    idle.order("keys", {"secret": idle.box.api_key, "revoked": True})
    assert await idle.after(FIRST) == [("platform", "key_refused")]
    idle.order("keys", {"secret": idle.box.api_key, "revoked": False})
    assert await idle.after(HELD - 1) == [("platform", "key_refused")]
    assert await idle.after(1) == []


async def test_a_project_that_is_closed_is_found_and_others_are_asked(idle: Idle) -> None:
    """It is a hold of its target, which a probe ends; one that a real call made is ended by such a call alone."""
    idle.tools.destinations = {"x": a_folder("no-such-project"), **idle.tools.destinations}
    assert await idle.after(FIRST) == [("target", "target_refused")]
    assert idle.asked() == 2
    idle.tools.destinations = {"a": a_folder(idle.box.project_id)}
    real = Hold(Scope.TARGET, idle.box.project_id, "No uploads.", cause=HoldCause.TARGET_REFUSED)
    await idle.tools.journal.holds.set(real)
    await idle.after(HELD)
    assert [hold.reason for hold in idle.holds() if hold.subject == real.subject] == ["No uploads."]
    await idle.tools.journal.holds.set(replace(real, reason=f"{PROBE_REFUSED} (no role)."))
    await idle.after(HELD)
    assert [hold for hold in idle.holds() if hold.subject == real.subject] == []


async def test_an_outage_while_idle_is_told_once_it_lasts(idle: Idle) -> None:
    """Not at the first call that fails; the first that succeeds ends it."""
    idle.order("faults", {"operation": "items.list", "kind": "status", "status": 503, "when": {}})
    assert await idle.after(FIRST) == []
    assert await idle.after(FAILING) == [("platform", "platform_unreachable")]
    idle.order("faults", None, "DELETE")
    assert await idle.after(FAILING) == []
