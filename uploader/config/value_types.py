"""What one value of the configuration may be: text as people write it in, the type that the program works with out."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from uploader.core import declared_values, tile_template
from uploader.core.address_policy import judge_endpoint
from uploader.core.bandwidth_schedule import Timetable, parse_timetable
from uploader.core.byte_sizes import parse_size
from uploader.core.durations import parse_duration
from uploader.core.path_text import is_text, shown
from uploader.core.secrets import Secret

LISTEN = r"^$|^(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):[1-9]\d{0,4}$"
"""HOST:PORT, or nothing."""
MAX_PORT = 65535
SCHEDULER = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[1-9]\d{0,4}")


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


def _size_or_none(value: object) -> object:
    return 0 if value == "" else _size(value)


def _timetable(value: object) -> object:
    written = isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    )
    return parse_timetable(value) if written else value  # type: ignore[arg-type]


def _span(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _endpoint(value: object) -> object:
    """An address may be a secret as a whole, as those of chat programs are: no complaint quotes it."""
    if not isinstance(value, str):
        return value
    match judge_endpoint(value) if value else "secure":
        case "none":
            raise ValueError(
                'is not an address; write "https://", a host name and a path, without user or "#"'
            )
        case "clear":
            raise ValueError("would be sent to unencrypted; write https, http is for this machine only")
    return Secret(value)


def _argv(value: tuple[str, ...]) -> tuple[str, ...]:
    if value and not os.path.isabs(value[0]):  # noqa: PTH117 - text of a configuration, no path yet
        raise ValueError("should begin with the whole path of a program; no shell looks for it")
    if any("\0" in word for word in value):
        raise ValueError("holds a character that no argument may hold")
    return value


def _host_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", value):
        raise ValueError('is no name of a host; write it without "https://", port and path')
    return value


def _tiles(value: str) -> str:
    if value and (what := tile_template.mistake(value)):
        raise ValueError(what)
    return value


def _absolute(value: Path, info: ValidationInfo) -> Path:
    """Make a path absolute: `~` is the user's home, other relative paths start at the configuration file."""
    base = (info.context or {}).get("base", Path())
    if "\0" in str(value):
        raise ValueError("holds a character that no path may hold")
    try:
        path = Path(os.path.normpath(Path(base, value.expanduser()).absolute()))
    except RuntimeError:
        raise ValueError(f"there is no home folder for {value.parts[0]}; write the whole path") from None
    if not is_text(str(path)):
        raise ValueError(
            f'lies at "{shown(str(path))}", which is not UTF-8; rename that folder, or link to it'
        )
    return path


def _some_path(value: object) -> object:
    """An empty path would mean the folder of the configuration file, which nobody says that way."""
    if value == "":
        raise ValueError("must not be empty; name a folder")
    return _local_path(value)


def _local_path(value: object) -> object:
    """What is written for other programs would be a folder beside the configuration, and waited for for ever."""
    if isinstance(value, str):
        for pattern, why in _NO_PATHS.items():
            if re.match(pattern, value):
                raise ValueError(why)
    return value


_NO_PATHS = {
    r"[A-Za-z][A-Za-z0-9+.-]+://": "is an address; mount it, and name the folder where it is mounted",
    r"[A-Za-z]:[\\/]": 'is a path of Windows; name it as this machine does, such as "/mnt/c/drop"',
    r"\$[A-Za-z_{]": "has a variable, and none is replaced; write it out, or ~ for the home folder",
}
"""By their beginnings: paths that are none here."""


def _absolute_or_empty(value: Path | None, info: ValidationInfo) -> Path | None:
    return None if value is None else _absolute(value, info)


def _without_slash(value: str) -> str:
    return value.rstrip("/")


def _real_port(value: str) -> str:
    if value and int(value.rpartition(":")[2]) > MAX_PORT:
        raise ValueError(f'"{value}" names a port above {MAX_PORT}')
    return value


def _no_path_if_empty(value: object) -> object:
    return None if value == "" else _local_path(value)


def _scheduler(value: str) -> str:
    if value and not SCHEDULER.fullmatch(value):
        raise ValueError('should be the address of a Dask scheduler, such as "tls://cluster.example:8786"')
    return _real_port(value)


def _nodata(value: object) -> object:
    return declared_values.nodata_text(value) if isinstance(value, str | int | float) else value


Bytes = Annotated[int, BeforeValidator(_size), Field(strict=True, ge=0)]
OptionalBytes = Annotated[int, BeforeValidator(_size_or_none), Field(strict=True, ge=0)]
"""Bytes; 0, written as "", where there are none."""
Whole = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[int, Field(strict=True, ge=1)]
Seconds = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Span = Annotated[float, BeforeValidator(_span), Field(strict=True, gt=0, allow_inf_nan=False)]
"""Seconds, written as "5m"."""
Endpoint = Annotated[Secret, BeforeValidator(_endpoint)]
Argv = Annotated[tuple[str, ...], AfterValidator(_argv)]
Flag = Annotated[bool, Field(strict=True)]
AbsolutePath = Annotated[Path, BeforeValidator(_some_path), AfterValidator(_absolute)]
OptionalPath = Annotated[Path | None, BeforeValidator(_no_path_if_empty), AfterValidator(_absolute_or_empty)]
Name = Annotated[str, Field(min_length=1)]
Patterns = tuple[Name, ...]
HostName = Annotated[str, AfterValidator(_host_name)]
Address = Annotated[str, Field(pattern=LISTEN), AfterValidator(_real_port)]
Tiles = Annotated[str, AfterValidator(_tiles)]
Scheduler = Annotated[str, AfterValidator(_scheduler)]
BaseUrl = Annotated[Name, AfterValidator(_without_slash)]
Bandwidth = Annotated[Timetable, BeforeValidator(_timetable)]
DeclaredSystem = Annotated[str, AfterValidator(declared_values.crs_text)]
DeclaredNodata = Annotated[str, BeforeValidator(_nodata)]
SomeBytes = Annotated[int, BeforeValidator(_size), Field(strict=True, ge=1)]
