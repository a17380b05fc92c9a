"""The sections of the configuration: each key with its type and default.

`config.example.toml` says what each key is for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from uploader.config.scene_sections import ScenesSection, placed
from uploader.config.section import Section
from uploader.config.value_types import (
    AbsolutePath,
    Address,
    Argv,
    Bandwidth,
    BaseUrl,
    Bytes,
    DeclaredNodata,
    DeclaredSystem,
    Endpoint,
    Flag,
    HostName,
    Name,
    OptionalBytes,
    OptionalPath,
    Patterns,
    Positive,
    Scheduler,
    Seconds,
    SomeBytes,
    Span,
    Tiles,
    Whole,
)
from uploader.convert.job import Job
from uploader.core import archives, naming
from uploader.core.claim_order import Order
from uploader.core.errors import ConfigurationError
from uploader.core.scene_rules import LeftOut, Placement
from uploader.core.secrets import Secret

JOB: Any = Job(source=Path(), target=Path())
"""Has the defaults of the keys that a conversion is given."""


class PlatformSection(Section):
    """Where the rasters go, and as whom."""

    base_url: BaseUrl = "https://api.geopera.com"
    auth: Literal["client_credentials", "api_key"] = "client_credentials"
    client_id: Name = "geopera"
    api_key_file: OptionalPath = None
    transfer_method: Name = "signed_url"
    requests_per_minute: Whole = 300
    """0: no limit of ours."""
    proxy: str = ""
    ca_file: OptionalPath = None


class Folder(Section):
    """One drop folder and what becomes of the rasters in it."""

    path: AbsolutePath
    project_id: Name
    collection_id: str = ""
    item_id: str = ""
    asset_key: str = ""
    categorical: Literal["auto", "yes", "no"] = JOB.categorical
    recursive: Flag = True
    include: Patterns = ("*.tif", "*.tiff")
    exclude: Patterns = ()
    passthrough: Patterns = ()
    settle_seconds: Seconds = 10.0
    ready_marker: str = ""
    rescan_seconds: Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)] = 300.0
    polling: Literal["auto", "always", "never"] = "auto"
    after_upload: Literal["keep", "archive", "delete"] = "keep"
    archive_dir: OptionalPath = None
    duplicates: Literal["upload", "skip"] = "upload"
    verify_remote: Flag = True
    strict: Flag = JOB.strict
    priority: Annotated[int, Field(strict=True, ge=-1000, le=1000)] = 0
    order: Order = "oldest"
    crs: DeclaredSystem = JOB.crs
    nodata: DeclaredNodata = JOB.nodata
    on_missing_crs: Literal["warn", "reject"] = JOB.on_missing_crs
    receipts: Flag = False
    scenes: tuple[ScenesSection, ...] = ()

    def opens(self, path: bytes) -> bool:
        """Whether a file of this path below the folder is an archive that is opened, by its name alone."""
        return bool(archives.kind_of(path)) and naming.matches(
            path, self.include, (*self.exclude, *self.passthrough)
        )

    def takes(self, path: bytes) -> bool:
        """Whether a file of this path below the folder, or in an archive there, is a raster to take, by its name."""
        if naming.ignored(path.rpartition(b"/")[2]) or naming.matches(path, self.exclude) or self.opens(path):
            return False
        if self.scenes:
            return isinstance(self.placed(path), Placement)
        return naming.matches(path, self.taken)

    @property
    def taken(self) -> tuple[str, ...]:
        """The patterns of what is taken; none where rules of scenes say it."""
        return () if self.scenes else (*self.include, *self.passthrough)

    def passes(self, path: bytes) -> bool:
        """Whether a file of this path below the folder, or in an archive there, is uploaded as it is."""
        return bool(self.passthrough) and naming.matches(path, self.passthrough)

    def placed(self, path: bytes) -> Placement | LeftOut | None:
        """What a file at this path below the folder is in its scene, or why it is left; None: it has no scenes."""
        return placed(self.scenes, path)


class StagingSection(Section):
    """Where private copies and converted files lie until they are uploaded."""

    dir: OptionalPath = None
    """None only while a file is being read: `Settings` puts `state_dir/staging` there."""
    max_bytes: Bytes = 200 << 30

    @property
    def path(self) -> Path:
        """The folder, known to be set."""
        if self.dir is None:
            raise ConfigurationError("The staging folder is only known to whole settings.")
        return self.dir


class ConvertSection(Section):
    """How rasters become COGs."""

    verify: Literal["full", "sample", "off"] = JOB.verify
    workers: Whole = 0
    """0: one per core, see `processes`."""
    compression: Literal["deflate", "zstd", "lzw", "lzma", "lerc", "lerc_deflate", "lerc_zstd", "none"] = (
        JOB.compression
    )
    level: Literal["auto", "fast", "balanced", "small"] = "auto"
    """What "auto" is: see `Settings.effort`."""
    memory_limit: Bytes = JOB.memory_limit
    timeout_seconds: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] = JOB.timeout_seconds
    engine: Literal["local", "dask"] = "local"
    scheduler: Scheduler = ""
    tls_ca_file: OptionalPath = None
    tls_cert_file: OptionalPath = None
    tls_key_file: OptionalPath = None
    fallback: Literal["hold", "local"] = "hold"
    """What follows when the cluster is not there."""

    @property
    def processes(self) -> int:
        """How many children convert at once."""
        return self.workers or len(os.sched_getaffinity(0))


class BatchSection(Section):
    """How files are put together into upload sessions."""

    max_files: Positive = 100
    max_bytes: SomeBytes = 20 << 30
    linger_seconds: Seconds = 10.0
    max_wait_seconds: Seconds = 300.0


class TransferSection(Section):
    """How bytes leave."""

    concurrency: Whole = 4
    """0: as many as are found to carry most."""
    bandwidth_limit: Bandwidth = ()
    """Ask `core.bandwidth_schedule.limit_at` what it means now."""
    daily_limit: OptionalBytes = 0
    """0: none."""
    drain_seconds: Seconds = 30.0


class LimitsSection(Section):
    """What is taken at all, and when to give up."""

    min_free_bytes: Bytes = JOB.min_free_bytes
    max_attempts: Positive = 5
    max_pixels: Positive = JOB.max_pixels
    max_bands: Positive = JOB.max_bands


class DashboardSection(Section):
    """The page, and the API."""

    listen: Address = "127.0.0.1:8750"
    hosts: tuple[HostName, ...] = ()
    """Further names that it may be called by."""
    basemap: Tiles = ""
    """Empty: nobody is asked for a map."""
    basemap_attribution: str = ""


class NotifySection(Section):
    """Who is told without asking, and when. Times in seconds."""

    webhook: Endpoint = Secret("")
    heartbeat: Endpoint = Secret("")
    command: Argv = ()
    stalled_after: Span = 300.0
    repeat_every: Span = 6 * 3600.0


class LogSection(Section):
    """How the log reads."""

    format: Literal["text", "json"] = "text"
