"""An alarm or all-clear as one JSON document. `docs/operations.md` tells its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from uploader.core.alarms import Notice
from uploader.core.moments import iso
from uploader.core.secrets import redact

MOST = 2000
"""Characters of one text; a path has 4096 bytes at most, a reason may quote an answer."""

Document = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Sender:
    """Which daemon tells: its host's name, and the name of its state directory."""

    host: str
    state_dir: str


def document(notice: Notice, origin: Sender, now: float, revision: int) -> Document:
    """The document; nothing secret is in it, and every text is bounded."""
    alarm = notice.alarm
    return {
        "event": notice.event.value,
        "cause": alarm.cause,
        "scope": alarm.scope,
        "subject": _text(alarm.subject),
        "reason": _text(alarm.reason),
        "way_out": _text(alarm.way_out),
        "since": iso(alarm.since),
        "time": iso(now),
        "files": alarm.files,
        "bytes": alarm.size,
        "repeated": notice.repeated,
        "host": _text(origin.host),
        "state_dir": _text(origin.state_dir),
        "revision": revision,
    }


def _text(text: str) -> str:
    clean = redact(text)
    return clean if len(clean) <= MOST else clean[: MOST - 1] + "…"
