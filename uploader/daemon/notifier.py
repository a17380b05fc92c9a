"""Tells whoever `[notify]` names, and the log, and keeps none of the work waiting.

Each way has a task of its own, so that one that hangs holds up no other. The settings are those of the moment.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup

from uploader.config import Settings
from uploader.core.alarms import CLEAR_AFTER, Notice
from uploader.core.moments import iso
from uploader.core.secrets import Secret
from uploader.daemon.alarm_watch import AlarmWatch
from uploader.journal import Journal
from uploader.journal.rows import clock
from uploader.report.notify.document import Document, Sender, document
from uploader.report.notify.follower import Follower
from uploader.report.notify.teller import Rhythm, Teller
from uploader.report.notify.ways import Endpoint, LogWay, NotDelivered, NotifyCommand, Way

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at what there is to tell."""

HEARTBEAT = 60.0
"""Seconds between two pings."""

Address = Secret | tuple[str, ...]
"""Where a way leads; false where it is not configured."""


class Notifier:
    """All ways out of one daemon."""

    def __init__(self, settings: Callable[[], Settings], journal: Journal, watch: AlarmWatch) -> None:
        self._settings = settings
        self._journal = journal
        self._watch = watch
        self._log = Teller("log", self._document)
        self._webhook = Teller("webhook", self._document)
        self._command = Teller("command", self._document)
        self._heartbeat_trouble = ""

    async def run(self) -> None:
        """Tell what there is to be told, until cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._tell_log)
            group.start_soon(self._follow, self._webhook, lambda: self._settings().notify.webhook, group)
            group.start_soon(self._follow, self._command, lambda: self._settings().notify.command, group)
            group.start_soon(self._beat)

    def alarms(self) -> list[dict[str, Any]]:
        """What lasts and was told in the log, for the status."""
        return [
            {
                "cause": one.alarm.cause,
                "scope": one.alarm.scope,
                "subject": one.alarm.subject,
                "told": iso(one.at),
            }
            for one in self._log.told.values()
        ]

    def warnings(self) -> Iterator[dict[str, str]]:
        """What does not arrive."""
        troubles = [self._webhook.trouble, self._command.trouble, self._heartbeat_trouble]
        for text in filter(None, troubles):
            yield {
                "path": "",
                "code": "notify_failed",
                "text": f"Alarms or signs of life do not arrive. {text}",
            }

    async def _tell_log(self) -> None:
        while True:
            await self._tell(self._log, LogWay())
            await anyio.sleep(TICK)

    async def _follow(self, teller: Teller, wanted: Callable[[], Address], group: TaskGroup) -> None:
        """Tell one way as long as it is configured; a way that is no longer configured stops following the events."""
        follower = Follower(teller, self._journal, group)
        while True:
            address = wanted()
            if address:
                await follower.begin()
                async with self._way(address) as way:
                    while wanted() == address:
                        await follower.look(clock())
                        await self._tell(teller, way)
                        await follower.keep()
                        await anyio.sleep(TICK)
            else:
                await follower.leave()
                while not wanted():  # noqa: ASYNC110 - a configuration that is read again tells nobody
                    await anyio.sleep(TICK)

    async def _tell(self, teller: Teller, way: Way) -> None:
        notify, now = self._settings().notify, clock()
        rhythm = Rhythm(notify.repeat_every, min(CLEAR_AFTER, notify.stalled_after))
        alarms = self._watch.alarms(teller.told)
        if teller.due(alarms, rhythm, now):
            alarms = await self._watch.counted(teller.told)
        await teller.tell(way, alarms, rhythm, now)

    async def _beat(self) -> None:
        """Ping while all stages move; who waits for it alarms when it stays away."""
        while True:
            address = self._settings().notify.heartbeat
            if address:
                async with self._endpoint(address) as endpoint:
                    await self._beat_at(endpoint, address)
            self._heartbeat_trouble = ""
            await anyio.sleep(TICK)

    async def _beat_at(self, endpoint: Endpoint, address: Secret) -> None:
        due, moved = 0.0, True
        while self._settings().notify.heartbeat == address:
            moving = self._watch.moving()
            if moved and not moving:
                log.warning("notify: no heartbeat until all stages move again")
            if moving and time.monotonic() >= due:
                due = time.monotonic() + HEARTBEAT
                await self._ping(endpoint)
            moved = moving
            await anyio.sleep(TICK)

    async def _ping(self, endpoint: Endpoint) -> None:
        failed = ""
        try:
            await endpoint.ping()
        except NotDelivered as error:
            failed = str(error)
        if failed and failed != self._heartbeat_trouble:
            log.warning("notify: the heartbeat was not taken and is tried again in a minute: %s", failed)
        self._heartbeat_trouble = failed

    @asynccontextmanager
    async def _way(self, address: Address) -> AsyncIterator[Way]:
        if isinstance(address, Secret):
            async with self._endpoint(address) as endpoint:
                yield endpoint
        else:
            yield NotifyCommand(address)

    @asynccontextmanager
    async def _endpoint(self, address: Secret) -> AsyncIterator[Endpoint]:
        platform = self._settings().platform
        endpoint = Endpoint(address, proxy=platform.proxy, ca_file=str(platform.ca_file or ""))
        try:
            yield endpoint
        finally:
            with anyio.CancelScope(shield=True):
                await endpoint.aclose()

    def _document(self, notice: Notice, now: float) -> Document:
        origin = Sender(socket.gethostname(), self._settings().state_dir.name)
        return document(notice, origin, now, self._watch.revision)
