"""The drop-in that fits the unit to one configuration: what it may write to, and what it starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from uploader.config import Settings
from uploader.core.errors import ConfigurationError
from uploader.service.unit_files import UNIT, settings_of, shipped

DRAINED = 60.0
"""Seconds beyond `drain_seconds` after which systemd kills a service that was asked to stop."""

HOMES = ("/home", "/root", "/run/user")
"""What `ProtectHome=` hides."""

OWN = ("/tmp", "/var/tmp", "/dev", "/proc", "/sys")  # noqa: S108 - nothing is written there
"""Of these a service sees others than everybody else."""


def drop_in(settings: Settings, config: Path, program: Path) -> str:
    """The text of the drop-in. Raises ConfigurationError where a path cannot be used by a service."""
    unit = dict(settings_of(shipped(UNIT)))
    lines = [
        "# Written by `uploader install-service`, which replaces it when the configuration changes.",
        "[Service]",
    ]
    start = f"{word(program, command=True)} run -c {word(config, command=True)}"
    if start != unit["ExecStart"]:
        lines += ["ExecStart=", f"ExecStart={start}"]
    if any(_below(folder.path, HOMES) for folder in settings.folders):
        lines.append("ProtectHome=read-only")
    lines += (
        f"ReadWritePaths={path}" for path in _written(settings, Path("/var/lib", unit["StateDirectory"]))
    )
    if (stop := settings.transfer.drain_seconds + DRAINED) > float(unit["TimeoutStopSec"]):
        lines.append(f"TimeoutStopSec={stop:g}")
    return "\n".join(lines) + "\n"


def _written(settings: Settings, state: Path) -> Iterator[str]:
    """The paths that the service has to write to, beside the unit's own; a drop folder may be missing at its start."""
    for path in (settings.state_dir, settings.staging.path):
        if not path.is_relative_to(state):
            yield word(_usable(path))
    for folder in settings.folders:
        _usable(folder.path)
        if folder.after_upload != "keep":
            yield word(folder.path, "-")
        if folder.after_upload == "archive" and folder.archive_dir is not None:
            yield word(_usable(folder.archive_dir), "-")


def _usable(path: Path) -> Path:
    if _below(path, OWN):
        raise ConfigurationError(
            f"A service cannot see {path}: it has a {path.parts[1]} of its own.", "Use another folder."
        )
    return path


def _below(path: Path, places: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def word(path: Path, prefix: str = "", *, command: bool = False) -> str:
    """A path as systemd reads it back from a list, or from a command. Raises ConfigurationError where it cannot."""
    text = str(path)
    if not text.isprintable():
        raise ConfigurationError(f"systemd takes no path such as {text!r}.", "Rename it.")
    text = prefix + text.replace("%", "%%")
    if command:
        text = text.replace("$", "$$")
    if set(text) & set(" \"'\\;"):
        text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text
