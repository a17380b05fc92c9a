"""Signed URLs, each used once: the one that was signed while the file before was sent, or a new one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from uploader.core import signing_ahead
from uploader.core.errors import UploaderError
from uploader.core.media_types import content_type
from uploader.core.platform_traits import Traits
from uploader.journal import FileRow, SessionRow
from uploader.journal.rows import clock
from uploader.platform.api import Platform
from uploader.platform.signed_url import SignedUrl
from uploader.system.failpoints import failpoint


class SigningTools(Protocol):
    """Those of the effects' tools that signing takes."""

    platform: Platform
    stop: threading.Event

    @property
    def traits(self) -> Traits:
        """As `Tools.traits`."""

    async def session(self, session_id: int) -> SessionRow:
        """As `Tools.session`."""

    async def reached(self) -> None:
        """As `Tools.reached`."""


@dataclass(slots=True)
class _Ahead:
    at: float
    done: anyio.Event = field(default_factory=anyio.Event)
    url: SignedUrl | None = None
    error: UploaderError | None = None


class SigningAhead:
    """What was signed ahead, in memory alone, by session and file, and which files are being sent."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], _Ahead] = {}
        self._sending: set[int] = set()

    @contextmanager
    def sending(self, file_id: int) -> Iterator[None]:
        """While a file is sent it is not signed for again."""
        self._sending.add(file_id)
        try:
            yield
        finally:
            self._sending.discard(file_id)

    async def url(self, tools: SigningTools, upload_id: str, session_id: int, row: FileRow) -> SignedUrl:
        """A URL for a file of a session. Raises as `Platform.signed_url`."""
        ahead = self._found.pop((session_id, row.id), None)
        if ahead is not None:
            if not ahead.done.is_set():
                await ahead.done.wait()
            if signing_ahead.fresh(clock() - ahead.at, ahead.url.life if ahead.url else None):
                if ahead.error is not None:
                    raise ahead.error
                if ahead.url is not None:
                    return ahead.url
        failpoint("sign.before")
        url = await tools.platform.signed_url(upload_id, row.file_name, content_type(row.file_name))
        failpoint("sign.after")
        await tools.reached()
        return url

    async def sign_next(self, tools: SigningTools, session_id: int) -> None:
        """Sign for the file that comes next in a session. Where that fails, that file is told of it when it is sent.

        So each failure is judged once, by what it means for a file, and no call is repeated before the platform allows.
        """
        if not signing_ahead.worthwhile(tools.traits.url_life):
            return
        now = clock()
        self._found = {key: one for key, one in self._found.items() if signing_ahead.fresh(now - one.at)}
        session = await tools.session(session_id)
        signed = {file_id for _, file_id in self._found}
        row = signing_ahead.following(session.members, self._sending | signed)
        if row is None or tools.stop.is_set():
            return
        ahead = self._found[session_id, row.id] = _Ahead(now)
        try:
            ahead.url = await tools.platform.signed_url(
                session.upload_id, row.file_name, content_type(row.file_name)
            )
            await tools.reached()
        except UploaderError as error:
            ahead.error = error
        finally:
            ahead.done.set()

    def when_nearly_sent(self, size: int, start: Callable[[], None]) -> Callable[[int], None]:
        """A callback for bytes as they are sent, which calls `start` once, when nearly all of `size` are."""
        began, left, told = clock(), size, False

        def sent(count: int) -> None:
            nonlocal left, told
            left -= count
            if not told and signing_ahead.nearly_sent(size, size - left, clock() - began):
                told = True
                start()

        return sent


def both(one: Callable[[int], None], other: Callable[[int], None]) -> Callable[[int], None]:
    """A callback that calls two."""

    def called(count: int) -> None:
        one(count)
        other(count)

    return called
