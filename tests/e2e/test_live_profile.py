"""A live check changes what a running daemon does next: it reads what was found when it reads its configuration."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.rasters import make
from tests.support.world import World
from uploader.daemon.control_client import ask
from uploader.daemon.live_profile import NAME

pytestmark = pytest.mark.e2e

OPTIONS = {
    "projects": ("p-1", "p-2"),
    "items_per": "session",
    "transfer_methods": "published",
    "pipeline_delay": 0.0,
}
"""Of the sandbox; besides, as without options, a repeated `complete` does not tell its items. A live check waits for
the pictures of its items, so the pipeline does not."""


def test_a_running_daemon_goes_by_what_a_live_check_finds(make_world: Callable[..., World]) -> None:
    """Sessions of one file, the method that is taken at once, and no `complete` that would tell nothing."""
    w = make_world(options=OPTIONS)

    def profile() -> dict[str, Any] | None:
        return (ask(w.state / "control.sock", "status") or {}).get("platform_profile")

    with w.daemon() as process:
        w.wait((w.state / "control.sock").exists, "the daemon is up")
        assert profile() is None
        w.command("check", "-c", str(w.config), "--live", "--project", "p-2", check=0)
        process.send_signal(signal.SIGHUP)
        told = w.wait(profile, "the profile is in use")
        w.fault({"operation": "uploads.complete", "kind": "cut_after", "when": {"count": 1}})
        before = w.audit().history[-1].id
        for number in range(3):
            make("dem_nodata", w.drop / f"{number}.tif", size=64, seed=number + 1)
        w.wait(lambda: len(w.items()) == 3, "each file is an item")
        found = w.audit()
        (w.state / NAME).write_text("{")
        process.send_signal(signal.SIGHUP)
        ignored = w.wait(lambda: (profile() or {}).get("ignored"), "the damaged profile is not in use")

    assert "is no JSON" in ignored
    assert (told["project"], told["ignored"], told["date"][:2]) == ("p-2", None, "20")
    sessions = [one for one in found.sessions if one.project_id == "p-1"]
    assert len(sessions) == len({item.id for item in found.items if item.project_id == "p-1"}) == 3
    calls = [one for one in found.history if one.kind == "call" and one.id > before]
    assert {one.status for one in calls if one.operation == "uploads.initiate"} == {200}
    assert sum(one.operation == "uploads.complete" for one in calls) == 3
    assert any(one.operation == "items.list" for one in calls)
