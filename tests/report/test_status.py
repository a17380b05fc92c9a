"""Status as text, and foreign text made fit to be shown."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from uploader.report.status import SHOWN_PATHS, SHOWN_REASONS, render
from uploader.report.terminal_text import duration, printable

pytestmark = pytest.mark.unit

EMPTY = {
    "pending": 0,
    "completed": 0,
    "rejected": 0,
    "files": {},
    "sessions": {},
    "holds": [],
    "bytes": {},
    "failed": [],
}


NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def shown(status: dict, *, width: int = 100) -> str:
    """What a person would read."""
    screen = Console(file=io.StringIO(), width=width, markup=False)
    for part in render({**EMPTY, **status}, now=NOW):
        screen.print(part)
    return screen.file.getvalue()


def test_a_hold_is_shown_with_reason_way_out_and_next_try():
    """Nothing waits without being said."""
    hold = {
        "scope": "platform",
        "subject": "",
        "reason": "The key is refused. Put a new one.",
        "until": "2026-01-01T00:00:59.123+00:00",
    }
    text = shown({"holds": [hold]})
    assert "held (platform, next try in 1 min 0 s)" in text
    assert "Put a new one." in text
    assert "waits for you" in shown({"holds": [{**hold, "until": None}]})
    assert "held (platform, ends in 1 min 0 s)" in shown({"holds": [{**hold, "cause": "paused"}]})


def test_a_time_that_is_over_is_not_said_as_one_to_come():
    """Between the moment of the next try and its end, it is being tried."""
    hold = {"scope": "platform", "reason": "No answer.", "until": "2025-12-31T23:59:58+00:00"}
    assert "held (platform, being tried again): No answer." in shown({"holds": [hold]})


def test_warnings_of_a_kind_are_one_line():
    """The first file stands for all; other kinds have lines of their own."""
    warnings = [{"path": f"/d/{n}.tif", "code": "crs_missing", "text": "It has none."} for n in range(7)]
    warnings.append({"path": "/d/x.tif", "code": "prj_unreadable", "text": "Garbage."})
    lines = [line for line in shown({"warnings": warnings}).splitlines() if line.startswith("warning")]
    assert lines == [
        "warning: /d/0.tif: crs_missing: It has none. (and 6 more like this; --json names all)",
        "warning: /d/x.tif: prj_unreadable: Garbage.",
    ]


def test_possibly_leaked_storage_is_told():
    """In words, with where to read on."""
    assert "1.5 KiB" in shown({"possibly_leaked_bytes": 1536})
    assert "check" in shown({"possibly_leaked_bytes": 1536})


def test_names_cannot_speak_to_the_terminal():
    """Neither as escape sequences nor as markup."""
    text = shown({"failed": [{"path": "/d/\x1b]0;evil\x07[red]x\n.tif", "reason": "no", "attempts": 1}]})
    assert "\x1b" not in text
    assert r"\x1b]0;evil\x07[red]x\n.tif" in text


def test_files_that_were_rejected_for_one_reason_are_told_together():
    """Each reason stands once, below the first few of its paths, and the screen stays readable."""
    many = [{"path": f"/d/{n}.tif", "reason": "no", "attempts": 1} for n in range(SHOWN_PATHS + 2)]
    other = {"path": "/d/x.tif", "reason": "never", "attempts": 1}
    text = shown({"failed": [many[0], other, *many[1:]]})
    assert text.endswith(
        "rejected /d/4.tif\nand 2 more for the same reason; --json names all\n  no\nrejected /d/x.tif\n  never\n"
    )
    assert "more" not in shown({"failed": many[:SHOWN_PATHS]})


def test_many_reasons_are_counted_not_listed():
    """A name or a size in each of them makes as many reasons as files."""
    many = [{"path": f"/d/{n}.tif", "reason": f"no {n}", "attempts": 1} for n in range(SHOWN_REASONS + 3)]
    assert shown({"failed": many}).endswith("  no 9\nand 3 more reasons; --json names all\n")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain.tif", "plain.tif"),
        ("müll 中.tif", "müll 中.tif"),
        (b"\xff\n.tif", r"\xff\n.tif"),
        ("a\u202eb", r"a\u202eb"),
    ],
)
def test_names_are_made_printable(name, text):
    """Letters of all languages stay; controls, broken bytes and changes of direction are spelled out."""
    assert printable(name) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0314, "31 ms"), (59.6, "1 min 0 s"), (12, "12 s"), (7500, "2 h 5 min")]
)
def test_durations_are_for_people(seconds, text):
    """Two units at most."""
    assert duration(seconds) == text


def test_a_path_has_a_line_of_its_own():
    """It can be copied into `uploader log` as it stands."""
    path = "/srv/drop/" + "long" * 15 + ".tif"
    text = shown({"failed": [{"path": path, "reason": "It is no raster.", "attempts": 3}]})
    assert f"rejected {path}\n  It is no raster. (3 attempts)\n" in text


def test_only_what_is_under_way_is_listed_by_state():
    """The ends are in the summary; rows of earlier versions would contradict it."""
    text = shown(
        {"files": {"queued": 2, "rejected": 5, "gone": 1, "stored": 0}, "sessions": {"completed": 3}}
    )
    assert "files: 2 queued\n" in text
    assert "5 rejected" not in text
    assert "sessions" not in text


def test_what_a_daemon_is_doing_is_told():
    """With how much of it is done, where that is known."""
    running = [
        {"kind": "put", "subject": "a.tif", "total": 10, "done": 5},
        {"kind": "convert", "subject": "b"},
    ]
    assert "uploading a.tif 50 %\nconverting b\n" in shown({"running": running})


def test_a_cluster_is_told_on_one_line():
    """Who is there, what is under way, and what went wrong, where something did."""
    cluster = {
        "scheduler": "tls://c:1",
        "workers": 1,
        "slots": 2,
        "running": 1,
        "bytes": 0,
        "avoided": 0,
        "lost": 0,
    }
    assert "cluster tls://c:1: 1 worker, 1 of 2 conversions, 0 B\n" in shown({"cluster": cluster})
    cluster |= {"workers": 3, "avoided": 1, "lost": 2}
    assert "3 workers" in shown({"cluster": cluster})
    assert "1 not fit, 2 lost since the start" in shown({"cluster": cluster})


def test_each_worker_of_a_cluster_is_told():
    """What it converts, what it has done, and how often it was lost; of very many, how many more there are."""
    worker = {"address": "tls://a:1", "threads": 1, "converting": [], "done": 3, "lost": 0, "avoided": False}
    other = {**worker, "threads": 2, "converting": ["x.tif", "y\x1b.tif"], "lost": 1, "avoided": True}
    cluster = {
        "scheduler": "tls://c:1",
        "workers": 2,
        "slots": 3,
        "running": 2,
        "bytes": 0,
        "avoided": 1,
        "lost": 1,
        "each": [worker, other, *[worker] * 20],
    }
    text = shown({"cluster": cluster})
    assert "  tls://a:1: idle; 3 done\n" in text
    assert "  tls://a:1 (2 threads): x.tif, y" in text
    assert "; 3 done, 1 lost, not fit\n" in text
    assert "\x1b" not in text
    assert "  and 6 more workers\n" in text


def test_who_waits_is_told_for_what():
    """For more files until a time of the clock, for another try in so many seconds, for others without a time."""
    soon = datetime.fromtimestamp(NOW + 40, UTC)
    waits = [
        {"what": "converted", "why": "more files", "files": 12, "until": soon.isoformat()},
        {"what": "batched", "why": "another try", "files": 1, "until": soon.isoformat()},
        {"what": "queued", "why": "a free converter", "files": 3, "until": None},
    ]
    lines = shown({"waiting": waits}).splitlines()
    assert f"converted: 12 files wait for more files until {soon.astimezone():%H:%M:%S}" in lines
    assert "batched: 1 file waits for another try in 40 s" in lines
    assert "queued: 3 files wait for a free converter" in lines


def test_the_end_and_the_day_are_told():
    """As far as they are known."""
    end = datetime.fromtimestamp(NOW + 3 * 86400, UTC)
    told = {"eta": end.isoformat(), "today": {"completed": 5, "bytes": 2048}}
    text = shown({**told, "rate": {"files_per_hour": 12.5}})
    assert f"done at about {end.astimezone():%Y-%m-%d %H:%M}" in text
    assert "today: 5 completed, 2 KiB, 12.5 files an hour" in text
    assert "today" not in shown({"eta": None, "today": {"completed": 0, "bytes": 0}})


def test_several_folders_are_told_one_by_one():
    """A single one has the numbers at the top."""
    one = {"path": "/srv/a", "pending": 3, "completed": 5, "rejected": 0, "held": True}
    assert "/srv/a" not in shown({"folders": [one]})
    text = shown({"folders": [one, {**one, "path": "/srv/b", "held": False}]})
    assert "/srv/a: 3 pending, 5 completed, 0 rejected, held\n" in text
    assert "/srv/b: 3 pending, 5 completed, 0 rejected\n" in text
