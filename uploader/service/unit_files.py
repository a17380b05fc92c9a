"""The files of `systemd/` as they are shipped: the one source of what is installed as the service."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

UNIT = "uploader.service"
SYSUSERS = "uploader.sysusers"
KEY_WATCH = ("uploader-key.path", "uploader-key.service")
"""What has the service started anew when its key is replaced."""
USER, GROUP = "uploader", "rasters"
"""Whom the unit runs as, and the group of those who drop files; SYSUSERS makes both."""

ETC = Path("/etc/systemd/system")
KEY = Path("/etc/uploader/api-key")
"""Where the unit takes the credential from."""


def shipped(name: str) -> str:
    """The text of a file: from the package where it was installed, else from the source tree."""
    packaged = files("uploader.service").joinpath("units", name)
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[2] / "systemd" / name).read_text(encoding="utf-8")


def settings_of(text: str) -> list[tuple[str, str]]:
    """The keys of the sections [Service] with their values, in order, of a unit file, or of several on end."""
    section, found = "", []
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip()
        elif section == "[Service]" and "=" in line and not line.startswith(("#", ";")):
            key, _, value = line.partition("=")
            found.append((key.strip(), value.strip()))
    return found
