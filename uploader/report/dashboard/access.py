"""Who may change something: whoever had a one-time token of `uploader dashboard`, and has its cookie now.

Tokens and cookies are in memory only, as hashes: a restart of the daemon ends them all.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from uploader.core.errors import UploaderError

V = TypeVar("V")

TOKEN_SECONDS = 300.0
"""How long a token waits to be used."""

SESSION_SECONDS = 12 * 3600.0
"""How long its cookie is good for."""

MOST_TOKENS = 16
MOST_SESSIONS = 64
"""Of more, the oldest ends."""


@dataclass(slots=True)
class BrowserSession:
    """A browser that may change something."""

    ends: float
    said: str = ""
    """What came of its last wish, told once."""


class Access:
    """The tokens and the sessions. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: dict[bytes, float] = {}
        self.closed = ""
        """Why the page cannot be reached; empty where it can."""
        self._sessions: dict[bytes, BrowserSession] = {}

    def token(self) -> str:
        """Make a token that is good once, for some minutes. Raises UploaderError where no page takes it."""
        if self.closed:
            raise UploaderError(
                f"The page cannot be reached: {self.closed}.",
                "End the program that is in the way, or set another [dashboard] listen and restart the daemon. It is "
                "tried again every minute.",
            )
        made = secrets.token_urlsafe(32)
        _keep(self._tokens, MOST_TOKENS)[_hashed(made)] = self._clock() + TOKEN_SECONDS
        return made

    def enter(self, token: str) -> str | None:
        """Take a token, and give the cookie of a session for it; None where it is none, was used or is too old."""
        ends = self._tokens.pop(_hashed(token), None)
        if ends is None or ends < self._clock():
            return None
        cookie = secrets.token_urlsafe(32)
        _keep(self._sessions, MOST_SESSIONS)[_hashed(cookie)] = BrowserSession(
            self._clock() + SESSION_SECONDS
        )
        return cookie

    def session(self, cookie: str | None) -> BrowserSession | None:
        """The session of a cookie; None where there is none."""
        found = self._sessions.get(_hashed(cookie or ""))
        return found if found is not None and found.ends >= self._clock() else None

    def leave(self, cookie: str | None) -> None:
        """End the session of a cookie."""
        self._sessions.pop(_hashed(cookie or ""), None)


def _hashed(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _keep(kept: dict[bytes, V], most: int) -> dict[bytes, V]:
    """Make room for one more: the oldest goes."""
    while len(kept) >= most:
        del kept[next(iter(kept))]
    return kept
