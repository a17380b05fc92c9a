"""A push as a daemon that runs to its end in a thread of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from uploader.activity import Activity
from uploader.core.errors import AlreadyRunning
from uploader.daemon import loop
from uploader.python import push_progress
from uploader.python.own_thread import OwnThread, run_in_own_loop
from uploader.python.push_folders import with_earlier
from uploader.python.push_job import alone, outcome
from uploader.report import systemd_notify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from uploader.config import Settings
    from uploader.python.results import Progress


class BackgroundPush(OwnThread[dict[str, Any]]):
    """Answers as `push_job.outcome` does. `named` tells whose outcome is asked for, `environ` holds the key."""

    def __init__(
        self,
        settings: Settings,
        named: Callable[[str], bool],
        environ: Mapping[str, str],
        on_progress: Callable[[Progress], object] | None,
    ) -> None:
        super().__init__("uploader push")
        self._settings = settings
        self._named = named
        self._environ = environ
        self._on_progress = on_progress
        self._progress: Progress | None = None
        self._told: Progress | None = None

    def look(self) -> None:
        """Call back where there is something new."""
        now = self._progress
        if self._on_progress is not None and now is not None and now != self._told:
            self._told = now
            self._on_progress(now)

    def work(self) -> dict[str, Any]:
        """Push. Raises AlreadyRunning where another push to the target runs."""
        systemd_notify.keep_silent()
        state_dir = self._settings.state_dir
        with alone(state_dir, self._refuse):
            run_in_own_loop(self._push)
            if self._on_progress is not None:
                self._note(push_progress.last(state_dir, self._named))
            return outcome(state_dir, self._named)

    async def _push(self) -> None:
        state_dir, activity = self._settings.state_dir, Activity()
        folders = await with_earlier(state_dir, self._settings.folders, self._named)
        settings = self._settings.model_copy(update={"folders": tuple(folders)})
        run = partial(loop.run, settings, until_idle=True, activity=activity, bound=False)
        async with anyio.create_task_group() as group:
            if self._on_progress is not None:
                group.start_soon(push_progress.follow, state_dir, activity, self._named, self._note)
            await run(environ=self._environ, listener=self._listen)
            group.cancel_scope.cancel()

    async def _listen(self, stop: Callable[[], None], cut: Callable[[], None], _: Callable[[], None]) -> None:
        """Pass on that the push is to end."""
        await self.asked()
        stop()
        await self.asked(2)
        cut()

    def _note(self, progress: Progress) -> None:
        self._progress = progress

    def _refuse(self) -> None:
        raise AlreadyRunning(
            f"Another push to this project is under way with the state directory {self._settings.state_dir.parent}.",
            "Wait until it has ended and repeat this one, or name another state_dir.",
        )
