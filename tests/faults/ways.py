"""Every way in which a call can fail, as faults of the sandbox, spread over all calls of the daemon.

What is left out are lies: a refusal in the platform's own words after it had done what it refuses, or of what it would
do when asked once more in earnest. No client can tell such an answer from a true one; rows 37 and 43 of the matrix try
what follows from each of them alone.
"""

from __future__ import annotations

from typing import Any

from tests.support.world import World

SLOW = 1.5
"""Seconds of a slow answer, and of a silence before a cut."""

Way = dict[str, Any]

ANYWHERE: tuple[Way, ...] = (
    *({"kind": "status", "status": status} for status in (408, 500, 502, 504)),
    {"kind": "status", "status": 429, "retry_after": 1.0},
    {"kind": "status", "status": 429, "retry_after": 1.0, "retry_after_form": "date"},
    {"kind": "status", "status": 503, "retry_after": 1.0, "body": "problem"},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 404, "body": "html"},
    *({"kind": "status", "status": 200, "body": body} for body in ("html", "empty", "broken", "truncated")),
    {"kind": "status", "status": 200, "body": "giant"},
    {"kind": "cut_before"},
    {"kind": "stall", "seconds": SLOW},
    {"kind": "delay_before", "seconds": SLOW},
    {"kind": "delay_after", "seconds": SLOW},
    # From here on the call had its effect, and the answer is lost.
    {"kind": "cut_after"},
    {"kind": "stall", "seconds": SLOW, "commit": True},
    *({"kind": "status", "status": status, "commit": True} for status in (500, 502, 504)),
    *(
        {"kind": "status", "status": 200, "body": body, "commit": True}
        for body in ("html", "empty", "truncated")
    ),
)
"""What may happen to any call."""

ELSE: dict[str, tuple[Way, ...]] = {
    "token": ({"kind": "status", "status": 400},),
    "uploads.initiate": ({"kind": "status", "status": 403},),
    "uploads.signed_url": (
        {"kind": "expired_url"},
        {"kind": "lose_session", "status": 404},
        {"kind": "lose_session", "status": 410},
        *({"kind": "status", "status": status} for status in (403, 422)),
    ),
    "store.put": (
        {"kind": "wrong_hash"},
        {"kind": "corrupt"},
        {"kind": "expired_url"},
        {"kind": "cut_before", "after_bytes": 2000},
        {"kind": "stall", "after_bytes": 2000, "seconds": SLOW},
        {"kind": "status", "status": 503, "commit": True},
        *({"kind": "status", "status": status} for status in (400, 403, 412)),
    ),
    "uploads.progress": tuple(
        {"kind": "status", "status": status} for status in (400, 403, 404, 409, 413, 422)
    ),
    "uploads.complete": ({"kind": "status", "status": 503, "commit": True},),
    "uploads.fail": (),
    "items.get": ({"kind": "status", "status": 404},),
    "items.update": (),
    "collections.list": (),
    "collections.create": (),
    "items.list": ({"kind": "status", "status": 400},),
    "items.list_assets": ({"kind": "status", "status": 400},),
}
"""All calls that the daemon makes, and what may happen to each besides."""


def misbehave(w: World, percent: float) -> None:
    """Let so many of all calls fail, each way as often as the others."""
    for operation, more in ELSE.items():
        ways = (*ANYWHERE, *more)
        share = percent / 100 / len(ways)
        for way in ways:
            w.fault({"operation": operation, "when": {"probability": share}, **way})
