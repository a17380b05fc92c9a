"""What a conversion is asked, by the configuration: for whoever converts, and for whoever looks ahead."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from uploader.config import Folder, Settings
from uploader.convert import Job
from uploader.core.scene_rules import Placement


def job_of(
    settings: Settings, source: Path, target: Path, folder: Folder, name: str, *, alone: bool = False
) -> Job:
    """The job of a raster of this folder that is called `name` there; `alone`: nothing is converted beside it."""
    return Job(
        source=source,
        target=target,
        categorical=folder.categorical,
        compression=settings.convert.compression,
        effort=settings.effort,
        strict=folder.strict,
        crs=folder.crs,
        nodata=folder.nodata,
        on_missing_crs=folder.on_missing_crs,
        verify=settings.convert.verify,
        max_pixels=settings.limits.max_pixels,
        max_bands=settings.limits.max_bands,
        min_free_bytes=settings.limits.min_free_bytes,
        memory_limit=settings.convert.memory_limit,
        timeout_seconds=settings.convert.timeout_seconds,
        name=name,
        quicklook=True,
        alone=alone,
    )


def categorical_of(destination: Folder, path: bytes) -> Literal["auto", "yes", "no"]:
    """What is said of a file's values: by the rule of its scene, else by its folder."""
    placed = destination.placed(path)
    if isinstance(placed, Placement) and placed.categorical:
        return "yes" if placed.categorical == "yes" else "no"
    return destination.categorical
