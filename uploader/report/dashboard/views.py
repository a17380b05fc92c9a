"""What the page says of a status: words and numbers for the templates. Pure but for the clock's zone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from uploader.core.hold_causes import CAUSES
from uploader.core.model import FileState, HoldCause
from uploader.core.plurals import count_of
from uploader.report.status import again, clock_time, doing, fraction, share, wait_text
from uploader.report.terminal_text import duration

SHOWN_RUNNING = 6
"""Bars of one stage."""

STAGES: Mapping[FileState, tuple[str, str, frozenset[str]]] = {
    FileState.SETTLING: ("Arriving", "waits until it is whole, then is read", frozenset({"claim"})),
    FileState.QUEUED: ("Converting", "becomes a COG", frozenset({"convert"})),
    FileState.CONVERTED: ("Batching", "waits for its upload session", frozenset()),
    FileState.BATCHED: ("Uploading", "is sent to the object store", frozenset({"put"})),
    FileState.STORED: ("Completing", "becomes an item", frozenset({"call"})),
}
"""The stages of the work by the state of the files in it: title, what happens there, kinds of activity."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Something under way. `percent` is None where nobody knows."""

    subject: str
    percent: int | None
    words: str


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage of the work."""

    state: str
    title: str
    text: str
    files: int
    size: int
    bars: Sequence[Bar]
    more: int
    waits: Sequence[str]


def sentence(status: Mapping[str, Any], now: float) -> tuple[str, str]:
    """How it stands, in one sentence, and as a word: idle, busy, held, paused or failing."""
    pending, holds, rejected = status["pending"], status["holds"], status["rejected"]
    last = status.get("last_completed")
    success = f"The last item was made at {clock_time(last, now)}." if last else "No item was made yet."
    if holds:
        paused = all(hold["cause"] == HoldCause.PAUSED for hold in holds)
        waiting = sum(hold["files"] for hold in holds)
        what = "Paused" if paused else f"{count_of(len(holds), 'thing')} held"
        files = f", {count_of(waiting, 'file')} {'waits' if waiting == 1 else 'wait'}" if waiting else ""
        return f"{what}{files}. {success}", "paused" if paused else "held"
    if pending:
        end = f", done at about {clock_time(status['eta'], now)}" if status.get("eta") else ""
        return f"{count_of(pending, 'file')} under way{end}. {success}", "busy"
    if rejected:
        return f"All done but {count_of(rejected, 'rejected file')}. {success}", "failing"
    return f"All done. {success}" if status["completed"] else "Nothing to do yet: drop a raster.", "idle"


def time_left(status: Mapping[str, Any], now: float) -> str:
    """How long it takes until all is done, to the minute; empty where nobody knows, or nothing is left."""
    if not status.get("eta"):
        return ""
    seconds = max(60.0, datetime.fromisoformat(status["eta"]).timestamp() - now)
    return duration(math.ceil(seconds / 60) * 60).removesuffix(" 0 s")


def stages(status: Mapping[str, Any], now: float) -> list[StageView]:
    """The stages with what is in each, in the order of the work."""
    sizes = _sizes(status["folders"])
    return [_stage(status, state, sizes[state.value], now) for state in STAGES]


def _stage(status: Mapping[str, Any], state: FileState, size: int, now: float) -> StageView:
    title, text, kinds = STAGES[state]
    running = [one for one in status["running"] if one["kind"] in kinds]
    return StageView(
        state.value,
        title,
        text,
        status["files"].get(state.value, 0),
        size,
        [_bar(one, now) for one in running[:SHOWN_RUNNING]],
        max(0, len(running) - SHOWN_RUNNING),
        [wait_text(wait, now) for wait in status["waiting"] if wait["what"] == state.value],
    )


def others_running(status: Mapping[str, Any], now: float) -> list[Bar]:
    """What is under way beside the stages: sources that are put away."""
    known = frozenset().union(*(kinds for _, _, kinds in STAGES.values()))
    return [_bar(one, now) for one in status["running"] if one["kind"] not in known][:SHOWN_RUNNING]


def _bar(one: Mapping[str, Any], now: float) -> Bar:
    part = fraction(dict(one), now)
    return Bar(
        str(one["subject"]),
        None if part is None else round(100 * part),
        share(dict(one), now) or doing(dict(one)),
    )


def _sizes(folders: Iterable[Mapping[str, Any]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for folder in folders:
        for state, amount in folder["stages"].items():
            found[state] += amount["bytes"]
    return found


def holds(status: Mapping[str, Any], now: float) -> list[dict[str, Any]]:
    """The holds, each with when it goes on, and whether trying it now makes sense."""
    return [
        {**hold, "again": again(dict(hold), now), "tried": CAUSES[HoldCause(hold["cause"])].tried}
        for hold in status["holds"]
    ]


def folders(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The folders, each with whether it is paused."""
    paused = {one["folder"] for one in status["paused"]}
    return [{**folder, "paused": folder["path"] in paused} for folder in status["folders"]]


def reasons(failed: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """Why files were rejected, and how many for each reason, the most frequent first."""
    found = Counter(str(file["reason"]) for file in failed)
    return sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))


def grouped(
    reasons: Sequence[tuple[str, int]], newest: Sequence[Mapping[str, Any]], shown: int
) -> list[dict[str, Any]]:
    """Rejected files by reason, the most frequent first, each with the newest few."""
    files: dict[str, list[Mapping[str, Any]]] = {}
    for file in newest:
        files.setdefault(file["reason"] or "", []).append(file)
    return [
        {"reason": reason, "number": number, "files": files.get(reason, [])[:shown]}
        for reason, number in reasons
    ]
