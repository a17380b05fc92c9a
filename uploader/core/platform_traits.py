"""What a platform does that no document says: read out of the profile that a live check has written.

Every trait has its harshest reading as its default, which holds until a check has shown better. A profile comes from a
file, and is read as if it were wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

OLDEST = 90 * 86_400.0
"""Seconds after which a profile counts no more: a platform changes."""

_CLOCKS = 86_400.0
"""Seconds by which a profile may be dated ahead: clocks differ."""

MOST_SECONDS = 86_400.0

AT_ONCE = 1.0
"""Seconds within which the first look sees an item: no more than calls take."""

_METHOD = re.compile(r"[a-z][a-z_]{0,39}")
_REFUSAL = re.compile(r"HTTP [45]\d\d")
_UNKNOWN_CALL = frozenset({"HTTP 404", "HTTP 405", "HTTP 501"})
"""Refusals of a call that the platform does not have. One for want of a scope ends with another key."""


class Repeated(StrEnum):
    """What a repeated `uploads.initiate` gives."""

    UNKNOWN = ""
    SAME = "same"
    """The same session: a lost answer has cost nothing."""
    ANOTHER = "another"
    """A second one, and the first keeps what it reserved."""
    REFUSED = "refused"
    """A refusal, as its Idempotency-Key was used."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the platform does. Times in seconds."""

    merges: bool = False
    """A session becomes one item, so it holds one file. Default: each target is tried with a session of two."""
    transfer_method: str = ""
    """The value that `initiate` takes; empty: as the configuration says."""
    initiate_repeated: Repeated = Repeated.UNKNOWN
    silent_complete: bool = False
    """A repeated `complete` does not tell the items, so they are looked for first. Default: it is repeated."""
    names_hidden: bool = False
    """No name of a file comes back, so nobody looks for names. Default: they are looked for."""
    visible_after: float = 0.0
    """How long items cannot be seen: they are not looked for before. Default: at once, and again."""
    url_life: float | None = None
    """How long signed URLs live. Default: a minute, if they do not say it themselves."""
    no_updates: bool = False
    """There is no `items.update`, so it is not asked. Default: it is."""


@dataclass(frozen=True, slots=True)
class LiveProfile:
    """A profile that is in use, or none: `date` is as it was written. `ignored` says why another one is not."""

    traits: Traits = Traits()
    date: str = ""
    project: str = ""
    ignored: str = ""

    def to_json(self) -> dict[str, Any] | None:
        """As a status tells it; None where there is no profile at all."""
        if not self.date and not self.ignored:
            return None
        return {"date": self.date or None, "project": self.project or None, "ignored": self.ignored or None}


def profile_of(found: object, base_url: str, now: float) -> LiveProfile:
    """A profile, as JSON gave it, that holds for the platform at `base_url` at the time `now` (unix seconds).

    Raises ValueError, in words that follow "it", where it cannot be used.
    """
    if not isinstance(found, Mapping) or not isinstance(facts := found.get("facts"), Mapping):
        raise ValueError("is damaged: it holds no facts")  # noqa: TRY004 - one kind of error for all that is wrong
    date, project = _text(found, "date"), _text(found, "project")
    try:
        at = datetime.fromisoformat(date)
        age = now - at.timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError("is damaged: it has no date") from None
    if at.tzinfo is None or not project:
        raise ValueError("is damaged: it has no date in UTC, or no project")
    if _text(found, "base_url").rstrip("/") != base_url.rstrip("/"):
        raise ValueError("is of another platform")
    if not age > -_CLOCKS:
        raise ValueError("is dated in the future")
    if age > OLDEST:
        raise ValueError(f"is older than {OLDEST / 86_400:.0f} days")
    return LiveProfile(_traits(facts), date, project)


def _traits(facts: Mapping[str, Any]) -> Traits:
    method = _text(facts, "transfer_method")
    if method and not _METHOD.fullmatch(method):
        raise ValueError("is damaged: its fact transfer_method is not as a check writes it")
    initiate = _one_of(facts, "initiate_repeated", "same", "another")
    return Traits(
        merges=_one_of(facts, "items_per", "file", "session", refusal=False) == "session",
        transfer_method=method,
        initiate_repeated=Repeated.REFUSED if _REFUSAL.fullmatch(initiate) else Repeated(initiate),
        silent_complete=_one_of(facts, "complete_repeated", "ids", "none") not in ("", "ids"),
        names_hidden=_flag(facts, "names_in_items") is False,
        visible_after=visible if (visible := _seconds(facts, "visible_after") or 0.0) > AT_ONCE else 0.0,
        url_life=_seconds(facts, "url_life"),
        no_updates=_one_of(facts, "items_update", "ok") in _UNKNOWN_CALL,
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"is damaged: its {name} is no text")  # noqa: TRY004 - as above
    return value


def _one_of(facts: Mapping[str, Any], name: str, *words: str, refusal: bool = True) -> str:
    """One of these words, a refusal, or nothing, where it was not found out."""
    value = _text(facts, name)
    if value in ("", *words) or (refusal and _REFUSAL.fullmatch(value)):
        return value
    raise ValueError(f"is damaged: its fact {name} is not as a check writes it")


def _flag(facts: Mapping[str, Any], name: str) -> bool | None:
    value = facts.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"is damaged: its fact {name} is neither true nor false")


def _seconds(facts: Mapping[str, Any], name: str) -> float | None:
    value = facts.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_SECONDS:
        raise ValueError(f"is damaged: its fact {name} is no number of seconds")
    return float(value)
