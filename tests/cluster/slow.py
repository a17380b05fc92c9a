"""Loaded by a worker (`--preload`): a conversion takes a given time and no processor, and copies its raster."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import anyio

from uploader.convert.engine.cluster import task
from uploader.convert.job import Job, Report

SECONDS = float(os.environ["SLOW_SECONDS"])


async def _answer(job: Job, alive: Callable[[], None]) -> dict[str, Any]:
    await anyio.sleep(SECONDS)
    alive()
    shutil.copyfile(job.source, job.target)
    size, sha256 = task._measured(job.target)
    report = Report(method="passthrough", categorical=False, seconds=SECONDS)
    return {"report": report.to_json(), "size": size, "sha256": sha256, "host": {}}


task._answer = _answer
