"""`uploader.convert`: the conversion alone."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anyio

from uploader.convert import Converter, Report
from uploader.core import declared_values
from uploader.core.errors import UploaderError
from uploader.core.path_text import shown
from uploader.python.convert_files import converted, unfit
from uploader.python.error_words import SPELLING
from uploader.python.own_thread import OwnThread, run_in_own_loop

StrPath = str | os.PathLike[str]


def convert(
    src: StrPath,
    dst: StrPath,
    *,
    categorical: str | None = None,
    strict: bool = False,
    crs: str = "",
    nodata: str = "",
    on_missing_crs: str | None = None,
) -> Report:
    """Convert the raster `src` to the COG `dst`, and return the report: method, bands' statistics, warnings.

    Sidecars beside `src` are taken with it. The COG appears whole or not at all; one that is there is replaced. It may
    be called in any thread, also where an event loop runs, which stands still meanwhile.

    `categorical`: "auto", "yes" or "no". `strict` refuses what a COG cannot carry instead of warning of it. `crs` and
    `nodata` are declared for a raster that has none. `on_missing_crs`: "warn" or "reject".

    Raises UploaderError, with `reason` and `way_out`; then nothing is left at `dst` but what was there.
    """
    source, target = Path(src), Path(dst)
    _require(source, target)
    wishes: dict[str, Any] = {"strict": strict, **_declared(crs, nodata)}
    named = {"categorical": categorical, "on_missing_crs": on_missing_crs}
    wishes |= {name: value for name, value in named.items() if value is not None}
    return _Conversion(source, target, wishes).to_its_end()


class _Conversion(OwnThread[Report]):
    def __init__(self, source: Path, target: Path, wishes: dict[str, Any]) -> None:
        super().__init__("uploader convert")
        self._source = source
        self._target = target
        self._wishes = wishes

    def work(self) -> Report:
        """Convert."""
        return run_in_own_loop(self._convert)

    async def _convert(self) -> Report:
        async with anyio.create_task_group() as group, Converter(1) as converter:
            group.start_soon(self._listen, group.cancel_scope)
            try:
                report = await converted(
                    converter,
                    self._source,
                    self._target,
                    preview=None,
                    limits={},
                    wishes=self._wishes,
                    progress=lambda *_: nullcontext(),
                )
            except ValueError as error:  # a word that is not in the tables
                raise UploaderError(f"{error}.", "Name one of them.") from error
            group.cancel_scope.cancel()
        return report

    async def _listen(self, scope: anyio.CancelScope) -> None:
        await self.asked()
        scope.cancel()


def _require(source: Path, target: Path) -> None:
    """Raise UploaderError where there is no raster, or no place for its COG."""
    if not source.is_file():
        what = "is a folder" if source.is_dir() else "does not exist"
        raise UploaderError(f"{shown(str(source))} {what}.", SPELLING)
    if why := unfit(source, target):
        raise UploaderError(f"{shown(str(target))} {why}.", "Name another dst.")


def _declared(crs: str, nodata: str) -> dict[str, str]:
    """What is said for a raster, checked. Raises UploaderError."""
    said = {"crs": (crs, declared_values.crs_text), "nodata": (nodata, declared_values.nodata_text)}
    for name, (text, read) in said.items():
        try:
            read(text)
        except ValueError as error:
            wrong, _, way_out = str(error).partition("; ")
            raise UploaderError(
                f"{name}: {text!r} {wrong}.", f"{way_out[:1].upper()}{way_out[1:]}."
            ) from error
    return {"crs": crs, "nodata": nodata}
