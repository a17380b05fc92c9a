"""Reads the configuration again while the daemon runs: what can change live does, the rest is told by name.

What is wrong changes nothing: the old configuration holds on, and the complaint stays in the status until it is mended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import anyio

from uploader.config import Changes, Folder, Settings, compare
from uploader.core.errors import UploaderError
from uploader.core.model import target_of
from uploader.core.platform_traits import LiveProfile
from uploader.daemon import live_profile
from uploader.daemon.assembly import Parts, make_archives, require_own
from uploader.disposal import rights
from uploader.folders.own_places import Territory
from uploader.report import logs, systemd_notify
from uploader.system import threads

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that reading the configuration, and looking where its folders lie, may take."""

NO_FILE = "This daemon was started without a configuration file, so there is none to be read again."


class Reload:
    """The only one to change the settings that hold, which `Tools` has. `read` reads the file, and may block."""

    def __init__(self, parts: Parts, read: Callable[[], Settings] | None) -> None:
        self._parts = parts
        self._read = read
        self._asked = anyio.Event()
        self._one_at_a_time = anyio.Lock()
        self._refused = ""
        self._waiting: tuple[str, ...] = ()

    def request(self) -> None:
        """Read it again soon, where there is a file."""
        if self._read is None:
            log.info("configuration: %s", NO_FILE)
        else:
            self._asked.set()

    async def run(self) -> None:
        """Do what was requested, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked = anyio.Event()
            with suppress(UploaderError):  # it is in the log and in the status
                await self.now()

    def warnings(self) -> Iterator[dict[str, str]]:
        """What a person should know of the configuration, and of the profile beside it."""
        if ignored := self._parts.tools.profile.ignored:
            text = f"{ignored} {live_profile.WAY_OUT}"
            yield {"path": "", "code": "profile_ignored", "text": text}
        if self._refused:
            text = f"the configuration was read again and is wrong, so the old one holds on: {self._refused}"
            yield {"path": "", "code": "configuration_refused", "text": text}
        if self._waiting:
            text = f"the configuration has changed what only a restart can: {', '.join(self._waiting)}"
            yield {"path": "", "code": "restart_needed", "text": text}

    async def now(self) -> dict[str, Any]:
        """Read it again; returns what has changed by name. Raises UploaderError, and nothing has changed then."""
        systemd_notify.reloading()
        try:
            async with self._one_at_a_time:
                changes, profile, problems = await self._accepted()
                await self._apply(changes, profile)
        except UploaderError as error:
            self._refused = str(error)
            log.error("configuration: it was read again and refused, the old one holds on: %s", error)  # noqa: TRY400 - it has words
            raise
        finally:
            systemd_notify.ready()
        return _told(changes, problems)

    async def _accepted(self) -> tuple[Changes, LiveProfile, list[str]]:
        """What the file changes; see `_checked`. Raises UploaderError also where a disk does not answer."""
        if self._read is None:
            raise UploaderError(NO_FILE)
        with anyio.move_on_after(PATIENCE):
            return await threads.run_sync(self._checked, self._read, abandon_on_cancel=True)
        raise UploaderError("The configuration, or a folder in it, does not answer.", "Look after its disk.")

    def _checked(self, read: Callable[[], Settings]) -> tuple[Changes, LiveProfile, list[str]]:
        """As a start checks and locks, and what will keep sources from being put away. Blocks.

        Raises UploaderError where it is wrong, with no lock more than before.
        """
        running, fresh = self._parts.tools.settings, read()
        profile = live_profile.load(running)  # of the platform that it talks to until the next start
        changes = compare(running, live_profile.fitted(fresh, profile.traits))
        settings, added = changes.settings, [folder.path for folder in changes.added]
        Territory(settings.state_dir, settings.staging.path, settings.folders).require()
        require_own(settings.state_dir, added)
        self._lock(added)
        make_archives(settings)
        return changes, profile, list(_problems((*changes.added, *changes.changed)))

    def _lock(self, folders: Sequence[Path]) -> None:
        with ExitStack() as taken:
            for folder in folders:
                self._parts.locks.add(folder)
                taken.callback(self._parts.locks.remove, folder)
            taken.pop_all()

    async def _apply(self, changes: Changes, profile: LiveProfile) -> None:
        """Let it hold from now on."""
        parts, tools, settings = self._parts, self._parts.tools, changes.settings
        # What was claimed from a folder that leaves goes on to where it was to go.
        tools.destinations = {**tools.destinations, **settings.destinations()}
        tools.archive_dirs = {**tools.archive_dirs, **settings.archive_dirs()}
        tools.staging.min_free_bytes = settings.limits.min_free_bytes
        parts.upkeep.min_free_bytes = settings.limits.min_free_bytes
        if parts.territory is not None:
            parts.territory.change(settings.folders)
        parts.intake.change(changes)
        logs.choose(settings.log.format)
        tools.settings, self._waiting, self._refused = settings, changes.restart, ""
        if profile != tools.profile:
            live_profile.tell(profile)
        tools.profile = profile
        await tools.journal.holds.restarted([target_of(each) for each in tools.destinations.values()])


def _told(changes: Changes, problems: list[str]) -> dict[str, Any]:
    """The answer to whoever asked, which is in the log as well."""
    groups = {"added": changes.added, "removed": changes.removed, "changed": changes.changed}
    folders = {f"folders_{name}": [str(folder.path) for folder in group] for name, group in groups.items()}
    log.info(
        "configuration: read again, changed=%s folders added=%s removed=%s changed=%s",
        *(",".join(names) or "none" for names in (changes.live, *folders.values())),
    )
    if changes.restart:
        log.warning("configuration: only a restart changes %s", ", ".join(changes.restart))
    for problem in problems:
        log.warning("configuration: %s", problem)
    return {"live": changes.live, "restart": changes.restart, **folders, "problems": problems}


def _problems(folders: Sequence[Folder]) -> Iterator[str]:
    """What keeps sources of these folders from being put away: a unit lets through what it named at its start."""
    for folder in folders:
        for text in rights(str(folder.path), folder.after_upload, folder.archive_dir):
            yield f"folder={folder.path} {text} A service needs it in its unit's ReadWritePaths=, and a restart."
