"""Status as text, and foreign text made fit to be shown."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from uploader.report.status import SHOWN_FAILURES, render, summary
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


def shown(status: dict) -> str:
    """What a person would read."""
    screen = Console(file=io.StringIO(), width=100, markup=False)
    for part in render({**EMPTY, **status}):
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
    assert "held (platform, tried again 2026-01-01 00:00:59 UTC)" in text
    assert "Put a new one." in text
    assert "waits for you" in shown({"holds": [{**hold, "until": None}]})


def test_possibly_leaked_storage_is_told():
    """In words, with where to read on."""
    assert "1.5 KiB" in shown({"possibly_leaked_bytes": 1536})
    assert "check" in shown({"possibly_leaked_bytes": 1536})


def test_names_cannot_speak_to_the_terminal():
    """Neither as escape sequences nor as markup."""
    text = shown({"failed": [{"path": "/d/\x1b]0;evil\x07[red]x\n.tif", "reason": "no", "attempts": 1}]})
    assert "\x1b" not in text
    assert r"\x1b]0;evil\x07[red]x\n.tif" in text


def test_many_failures_are_counted_not_listed():
    """The screen stays readable."""
    many = [{"path": f"/d/{n}.tif", "reason": "no", "attempts": 1} for n in range(SHOWN_FAILURES + 5)]
    assert "and 5 more" in shown({"failed": many})
    assert "more" not in shown({"failed": many[:SHOWN_FAILURES]})


def test_the_summary_is_one_line():
    """For systemctl status and for logs."""
    hold = {"scope": "folder", "reason": "gone\nagain", "until": None}
    status = {**EMPTY, "pending": 3, "rejected": 1, "holds": [hold, hold], "retrying": [{}]}
    assert summary(status) == r"3 pending, 0 completed, 1 rejected, 1 retrying, held: gone\nagain (+1)"


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
