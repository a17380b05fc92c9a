"""Converters come up while the files settle that they will convert, so that the first of these need not wait."""

from __future__ import annotations

from anyio.abc import TaskGroup

from uploader.convert import Converter
from uploader.effects.context import Tools
from uploader.folders.intake import Intake


class WarmConverters:
    """Those of this machine that have been told to come up; `group` is what they come up in."""

    def __init__(self, tools: Tools, intake: Intake, group: TaskGroup) -> None:
        self._tools = tools
        self._intake = intake
        self._group = group
        self._told = 0

    def look(self) -> None:
        """Have as many come up, once, as files settle that are to be converted.

        Not before: who sends all files as they are, or lets a cluster convert, needs none.
        """
        local = self._tools.converter
        if not isinstance(local, Converter) or self._told >= local.workers:
            return
        wanted = min(self._intake.to_convert(local.workers), local.workers)
        if wanted > self._told:
            place = self._tools.settings.staging.path
            self._group.start_soon(local.rehearse, place, wanted - self._told)
            self._told = wanted
