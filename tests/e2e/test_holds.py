"""What holds work back is told alike by all who tell it, from its beginning to its end."""

from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import preload
from tests.support.live import live
from tests.support.preload import Board
from tests.support.rasters import make
from tests.support.views import Views, free_port
from tests.support.world import World

pytestmark = pytest.mark.e2e


def agreed(w: World, views: Views, number: int) -> int:
    """Wait until all views tell of the same holds, so many, with one revision; returns that."""

    def same() -> set[tuple[int, int]] | None:
        told = [*views.all().values()]
        assert not any(one.contradicts(other) for one in told for other in told), told
        seen = {(one.revision, one.number) for one in told}
        return seen if len(seen) == 1 and all(found == number for _, found in seen) else None

    ((revision, _),) = w.wait(same, f"all views tell of {number} holds")
    return int(revision)


def lines(w: World) -> list[str]:
    """What the log says of holds."""
    return re.findall(r"hold (?:begin|end) [^:\n]*", (w.root / "daemon.log").read_text())


def test_all_views_tell_of_one_list(make_world: Callable[..., World], tmp_path: Path) -> None:
    """Through three holds that come and go: status, page, JSON, metrics, health, systemd's line, log, and no daemon."""
    port, address = free_port(), tmp_path / "notify"
    folders = [{"path": str(tmp_path / name), "project_id": p} for name, p in (("a", "p-1"), ("b", "p-x"))]
    w = make_world(folders=folders, settings={"dashboard": {"listen": f"127.0.0.1:{port}"}})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(address))
        notify.setblocking(False)
        with w.daemon(NOTIFY_SOCKET=str(address)):
            views = Views(w, port, notify)
            w.wait((w.state / "control.sock").exists, "the daemon is there")
            w.wait(lambda: w.status()["daemon"] == "running", "it answers")
            first = agreed(w, views, 0)
            make("dem_nodata", tmp_path / "b" / "x.tif", size=64, seed=1)
            second = agreed(w, views, 1)
            (tmp_path / "a").rename(tmp_path / "away")
            third = agreed(w, views, 2)
            (hold,) = [h for h in w.status()["holds"] if h["scope"] == "target"]
            assert (hold["cause"], hold["subject"], hold["files"]) == ("target_refused", "p-x", 1)
            assert hold["bytes"] > 0
            assert "project_id" in hold["way_out"]
            assert {f["path"]: f["held"] for f in w.status()["folders"]} == {
                str(tmp_path / "a"): True,
                str(tmp_path / "b"): False,
            }
            (tmp_path / "away").rename(tmp_path / "a")
            fourth = agreed(w, views, 1)
    assert first < second < third < fourth
    status = w.status()
    assert (status["daemon"], status["revision"], len(status["holds"])) == ("stopped", fourth, 1)
    assert lines(w) == [
        "hold begin scope=target cause=target_refused subject='p-x'",
        f"hold begin scope=folder cause=folder_missing subject='{tmp_path}/a'",
        f"hold end scope=folder cause=folder_missing subject='{tmp_path}/a' after={_after(w)}",
    ]


def _after(w: World) -> str:
    (after,) = re.findall(r"hold end .* after=(.*)", (w.root / "daemon.log").read_text())
    return str(after)


def at(w: World, pattern: str) -> list[float]:
    """When the log has a line (unix seconds)."""
    log = (w.root / "daemon.log").read_text()
    times = re.findall(rf"^(\S+ \S+) [A-Z]+ {pattern}", log, re.MULTILINE)
    return [datetime.fromisoformat(t).timestamp() for t in times]


def test_an_outage_is_over_with_the_first_call_that_succeeds(tmp_path: Path) -> None:
    """One hold for three sessions in back-off, and all of them go on at once, whatever their pauses have grown to."""
    folders: list[dict[str, Any]] = [
        {"path": str(tmp_path / f"d{n}"), "project_id": f"p-{n}"} for n in range(1, 4)
    ]
    with live(tmp_path, folders=folders, options={"projects": ("p-1", "p-2", "p-3")}) as d:
        d.fault("uploads.initiate", status=503, count=None)
        for number, folder in enumerate(folders):
            make("dem_nodata", Path(folder["path"]) / f"{number}.tif", size=64, seed=number)
        hold = d.held("platform")
        assert hold["cause"] == "platform_unreachable"
        assert len(d.status()["holds"]) == 1
        assert hold["files"] == 3
        assert hold["until"] > hold["since"]
        d.w.wait(lambda: d.struck() > 20, "the pauses have grown")
        d.behave()
        d.w.wait(lambda: d.status()["completed"] == 3, "all became items")
        d.w.wait(lambda: not d.status()["holds"], "nothing is held")
        opened = at(d.w, "opened session=")
        (ended,) = at(d.w, "hold end scope=platform cause=platform_unreachable")
        assert len(opened) == 3
        assert opened[-1] - opened[0] < 5
        assert abs(ended - opened[0]) < 5
        assert d.wrong() == []


@pytest.mark.storm
@pytest.mark.skipif(bool(preload.missing()), reason=preload.missing() or "-")
def test_a_stage_that_stands_still_is_told(tmp_path: Path) -> None:
    """An archive that hangs is a hold after five minutes, and 503 for who watches; with its first word all is well."""
    board, port = Board.build(tmp_path), free_port()
    folder = {"path": str(tmp_path / "drop"), "project_id": "p-1", "after_upload": "archive"}
    folder["archive_dir"] = str(tmp_path / "hung-archive")
    (tmp_path / "hung-archive").mkdir()
    settings = {"dashboard": {"listen": f"127.0.0.1:{port}"}}

    def health() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    with live(tmp_path, environment=board.environment, folders=[folder], settings=settings) as d:
        d.drop("before.tif", seed=1)
        d.idle()
        assert health()[0] == 200
        board.hang("/hung-archive")
        d.drop("a.tif", seed=2)
        d.w.wait(lambda: d.status()["files"]["completed"] == 1 and board.hung, "the archive hangs")
        board.elapse(400)
        board.hang("/hung-archive")
        hold = d.held("stage")
        assert (hold["cause"], hold["subject"]) == ("stalled", "dispose")
        code, words = health()
        assert code == 503
        assert "Putting sources and private copies away has come no further" in words
        board.heal()
        d.w.wait(lambda: d.status()["files"]["disposed"] == 2, "it goes on")
        d.w.wait(lambda: not d.status()["holds"], "nothing is held")
        assert health()[0] == 200
        assert d.wrong() == []
