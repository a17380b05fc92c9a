"""The status in a window: holds first, shortened where they must be, and never cut."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from uploader.report.screen import fitted, picture

pytestmark = pytest.mark.unit


def window(columns: int, lines: int) -> Console:
    """A terminal of this size."""
    return Console(file=io.StringIO(), width=columns, height=lines, markup=False)


def status(*words: str) -> dict[str, Any]:
    """A status with 500 rejected files, and a hold for each of these reasons."""
    holds = [
        {
            "scope": "folder",
            "subject": f"/d/{n}",
            "reason": text,
            "way_out": "Mount it.",
            "until": None,
            "files": 7,
        }
        for n, text in enumerate(words)
    ]
    failed = [{"path": f"/d/{n}.tif", "reason": f"no {n}", "attempts": 1} for n in range(500)]
    return {"pending": 21, "rejected": 500, "holds": holds, "failed": failed, "daemon": "stopped"}


def seen(told: dict[str, Any], columns: int, lines: int) -> list[str]:
    """The lines that a terminal of this size shows."""
    screen = window(columns, lines)
    screen.print(picture(told, screen, now=0.0))
    return screen.file.getvalue().splitlines()[:lines]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 15), (200, 60)])
@pytest.mark.parametrize("length", [5, 40, 4000])
def test_every_hold_is_seen_in_full_or_shortened(columns: int, lines: int, length: int) -> None:
    """With its scope, its subject and how many files wait; only the longest reasons lose their ends."""
    told = status("It is gone.", "Short.", "long " * length)
    shown = " ".join(" ".join(seen(told, columns, lines)).split())

    for number in range(3):
        assert f"held (folder /d/{number}, 7 files, waits for you):" in shown
    assert "It is gone. Mount it." in shown
    assert "Short. Mount it." in shown
    assert "long long" in shown
    assert ("…" in shown) == ("long Mount it." not in shown)


def test_the_longest_give_way_first() -> None:
    """No text loses a line while another one has more of them."""
    texts = [Text("a " * 10), Text("b " * 300), Text("c " * 100)]
    lines = [line.plain for line in fitted(texts, window(40, 15), 9)]

    assert len(lines) == 9
    assert [line[0] for line in lines] == list("abbbbcccc")
    assert lines[0].strip() == ("a " * 10).strip()
    assert lines[4].endswith("…")
    assert all(len(line) <= 40 for line in lines)


def test_more_holds_than_lines_are_counted() -> None:
    """Each has a line as far as there are lines, and the last one tells of the others."""
    lines = [line.plain for line in fitted([Text(f"{n} " * 99) for n in range(20)], window(40, 10), 8)]

    assert len(lines) == 8
    assert lines[-1] == "and 13 more holds; --json names all"


def test_what_there_is_room_for_follows_the_holds() -> None:
    """The rejected files, as many as there are lines."""
    lines = seen(status("It is gone."), 80, 24)

    assert len(lines) == 24
    assert lines[-1].startswith(("rejected /d/", "  no"))
