"""The configuration: TOML in, typed settings out. The only place for its keys, defaults and checks.

`config.example.toml` says what each key is for. The words of every complaint are made in `config_check`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from uploader.config_check import load_document
from uploader.config_rules import relations
from uploader.core.bandwidth import Timetable, parse_timetable
from uploader.core.errors import ConfigurationError
from uploader.core.model import Destination, Limits
from uploader.core.sizes import parse_size

DEFAULT_STATE_DIR = Path("/var/lib/uploader")
SYSTEM_FILE = Path("/etc/uploader/config.toml")
LISTEN = r"^$|^(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):[1-9]\d{0,4}$"
"""HOST:PORT, or nothing."""
MAX_PORT = 65535


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _timetable(value: object) -> object:
    written = isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    )
    return parse_timetable(value) if written else value  # type: ignore[arg-type]


def _absolute(value: Path, info: ValidationInfo) -> Path:
    """Make a path absolute: `~` is the user's home, other relative paths start at the configuration file."""
    base = (info.context or {}).get("base", Path())
    if "\0" in str(value):
        raise ValueError("holds a character that no path may hold")
    try:
        return Path(os.path.normpath(Path(base, value.expanduser()).absolute()))
    except RuntimeError:
        raise ValueError(f"there is no home folder for {value.parts[0]}; write the whole path") from None


def _some_path(value: object) -> object:
    """An empty path would mean the folder of the configuration file, which nobody says that way."""
    if value == "":
        raise ValueError("must not be empty; name a folder")
    return value


def _absolute_or_empty(value: Path | None, info: ValidationInfo) -> Path | None:
    return None if value is None else _absolute(value, info)


def _without_slash(value: str) -> str:
    return value.rstrip("/")


def _real_port(value: str) -> str:
    if value and int(value.rpartition(":")[2]) > MAX_PORT:
        raise ValueError(f'"{value}" names a port above {MAX_PORT}')
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


Bytes = Annotated[int, BeforeValidator(_size), Field(strict=True, ge=0)]
Whole = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[int, Field(strict=True, ge=1)]
Seconds = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
AbsolutePath = Annotated[Path, BeforeValidator(_some_path), AfterValidator(_absolute)]
OptionalPath = Annotated[Path | None, BeforeValidator(_none_if_empty), AfterValidator(_absolute_or_empty)]
Name = Annotated[str, Field(min_length=1)]
Patterns = tuple[Name, ...]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Platform(_Section):
    """Where the rasters go, and as whom."""

    base_url: Annotated[Name, AfterValidator(_without_slash)] = "https://api.geopera.com"
    auth: Literal["client_credentials", "api_key"] = "client_credentials"
    client_id: Name = "geopera"
    api_key_file: OptionalPath = None
    transfer_method: Name = "signed_url"
    requests_per_minute: Whole = 300
    """0: no limit of ours."""
    proxy: str = ""
    ca_file: OptionalPath = None


class Folder(_Section):
    """One drop folder and what becomes of the rasters in it."""

    path: AbsolutePath
    project_id: Name
    collection_id: str = ""
    item_id: str = ""
    asset_key: str = ""
    categorical: Literal["auto", "yes", "no"] = "auto"
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
    strict: Flag = False

    def destination(self) -> Destination:
        """What the decisions need to know of this folder."""
        return Destination(
            project_id=self.project_id,
            collection_id=self.collection_id,
            item_id=self.item_id,
            asset_key=self.asset_key,
            categorical=self.categorical,
            after_upload=self.after_upload,
            verify_remote=self.verify_remote,
            duplicates=self.duplicates,
            strict=self.strict,
        )


class Staging(_Section):
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


class Convert(_Section):
    """How rasters become COGs."""

    verify: Literal["full", "sample", "off"] = "full"
    workers: Whole = 0
    """0: one per core, see `processes`."""
    compression: Literal["deflate", "zstd", "lzw", "lzma", "lerc", "lerc_deflate", "lerc_zstd", "none"] = (
        "deflate"
    )
    memory_limit: Bytes = 4 << 30
    timeout_seconds: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] = 3600.0

    @property
    def processes(self) -> int:
        """How many children convert at once."""
        return self.workers or len(os.sched_getaffinity(0))


class Batch(_Section):
    """How files are put together into upload sessions."""

    max_files: Positive = 100
    max_bytes: Annotated[int, BeforeValidator(_size), Field(strict=True, ge=1)] = 20 << 30
    linger_seconds: Seconds = 10.0
    max_wait_seconds: Seconds = 300.0


class Transfer(_Section):
    """How bytes leave."""

    concurrency: Positive = 4
    bandwidth_limit: Annotated[Timetable, BeforeValidator(_timetable)] = ()
    """Ask `core.bandwidth.limit_at` what it means now."""
    drain_seconds: Seconds = 30.0


class LimitsSection(_Section):
    """What is taken at all, and when to give up."""

    min_free_bytes: Bytes = 2 << 30
    max_attempts: Positive = 5
    max_pixels: Positive = 400_000_000_000
    max_bands: Positive = 4096


class Dashboard(_Section):
    """The read-only page."""

    listen: Annotated[str, Field(pattern=LISTEN), AfterValidator(_real_port)] = "127.0.0.1:8750"


class Settings(_Section):
    """The whole configuration, checked."""

    state_dir: AbsolutePath = Field(default=DEFAULT_STATE_DIR, validate_default=True)
    platform: Platform = Platform()
    folders: tuple[Folder, ...] = ()
    staging: Staging = Staging()
    convert: Convert = Convert()
    batch: Batch = Batch()
    transfer: Transfer = Transfer()
    limits: LimitsSection = LimitsSection()
    dashboard: Dashboard = Dashboard()

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if self.staging.dir is None:
            staging = self.staging.model_copy(update={"dir": self.state_dir / "staging"})
            object.__setattr__(self, "staging", staging)  # frozen for everybody else
        for mistake in relations(
            self.state_dir, self.staging.dir, dict(enumerate(self.folders)), self.platform
        ):
            raise ConfigurationError(mistake.text)
        return self

    def planner_limits(self) -> Limits:
        """The numbers that plans depend on."""
        return Limits(
            batch_files=self.batch.max_files,
            batch_bytes=self.batch.max_bytes,
            linger=self.batch.linger_seconds,
            max_wait=self.batch.max_wait_seconds,
            converters=self.convert.processes,
            transfers=self.transfer.concurrency,
            max_attempts=self.limits.max_attempts,
            staging_bytes=self.staging.max_bytes,
            min_free_bytes=self.limits.min_free_bytes,
        )


def load(path: Path, *, need_folders: bool = True) -> Settings:
    """Read and check the file at `path`.

    Raises `ConfigurationError` whose text has one line for every mistake in it. Relative paths in the file start
    at its own folder.
    """
    return load_document(Settings, path, need_folders=need_folders)


def find(option: str | None) -> Path:
    """Choose the file: the option, `$UPLOADER_CONFIG`, `./config.toml`, the user's, the system's.

    What was named must exist when it is read; of the other places the first that exists is taken. Raises
    `ConfigurationError` naming them all when there is none.
    """
    named = option or os.environ.get("UPLOADER_CONFIG")
    if named:
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    places = (Path("config.toml"), home / "uploader" / "config.toml", SYSTEM_FILE)
    for place in places:
        if place.is_file():
            return place
    raise ConfigurationError(
        f"No configuration file was found at {', '.join(map(str, places))}.",
        "Name one with -c FILE or $UPLOADER_CONFIG; config.example.toml is a start.",
    )
