"""What makes the program a service of one machine, and what takes it away: as steps, in order."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from uploader.config import Settings
from uploader.core.errors import ConfigurationError
from uploader.service.drop_in import HOMES, drop_in
from uploader.service.steps import InstallStep, MakeFolder, RunCommand, Share, WriteFile, known
from uploader.service.unit_files import ETC, GROUP, KEY, KEY_WATCH, SYSUSERS, UNIT, USER, shipped

DROP_IN = ETC / f"{UNIT}.d" / "installed.conf"
USERS = Path("/etc/sysusers.d/uploader.conf")

INSTALL = "Install it where a service can see it: sudo python3 -m venv /opt/uploader, and pip install there."


def installed(settings: Settings, config: Path, program: Path, *, start: bool) -> Iterator[InstallStep]:
    """The steps that install the service for a configuration. Raises ConfigurationError where that cannot work."""
    yield WriteFile(ETC / UNIT, shipped(UNIT))
    for name in KEY_WATCH:
        yield WriteFile(ETC / name, shipped(name))
    yield WriteFile(DROP_IN, drop_in(settings, config, program))
    yield WriteFile(USERS, shipped(SYSUSERS))
    yield RunCommand(("systemd-sysusers", str(USERS)), lambda _: not known(USER, GROUP))
    if not config.parent.stat().st_mode & stat.S_IXOTH:
        yield Share(config.parent, GROUP, "g+rx", stat.S_IRGRP | stat.S_IXGRP)
    yield Share(config, GROUP, "g+r", stat.S_IRGRP)
    yield from _folders(settings)
    yield RunCommand(
        ("systemctl", "daemon-reload"), lambda changed: changed or _shown("NeedDaemonReload") == "yes"
    )
    yield RunCommand(("systemctl", "enable", UNIT), lambda _: _shown("UnitFileState") != "enabled")
    yield RunCommand(
        ("systemctl", "enable", "--now", KEY_WATCH[0]),
        lambda _: _shown("ActiveState", KEY_WATCH[0]) != "active",
    )
    if start:
        yield RunCommand(
            ("systemctl", "restart", UNIT), lambda changed: changed or _shown("ActiveState") != "active"
        )


def uninstalled() -> Iterator[InstallStep]:
    """The steps that take the service away; configuration, key, state and user stay."""
    for name in (KEY_WATCH[0], UNIT):
        yield RunCommand(("systemctl", "disable", "--now", name), lambda _, path=ETC / name: path.exists())  # type: ignore[misc]
    for path in (DROP_IN, ETC / UNIT, *(ETC / name for name in KEY_WATCH), USERS):
        yield RunCommand(("rm", "-f", str(path)), lambda _, path=path: path.exists())  # type: ignore[misc]
    yield RunCommand(("systemctl", "daemon-reload"), lambda changed: changed)


def _folders(settings: Settings) -> Iterator[InstallStep]:
    for path in dict.fromkeys((settings.state_dir, settings.staging.path)):
        if path.parent != settings.state_dir:
            yield MakeFolder(path, 0o700, USER, GROUP)
    for folder in settings.folders:
        yield MakeFolder(folder.path, 0o2770, "root", GROUP)
        yield Share(folder.path, GROUP, "g+rwxs", stat.S_IRWXG | stat.S_ISGID)
        if folder.after_upload == "archive" and folder.archive_dir is not None:
            yield MakeFolder(folder.archive_dir, 0o2770, USER, GROUP)
            yield Share(folder.archive_dir, GROUP, "g+rwxs", stat.S_IRWXG | stat.S_ISGID)


def program() -> Path:
    """The command that the unit is to start. Raises ConfigurationError where a service could not."""
    found = Path(sys.prefix, "bin", "uploader")
    if not found.exists():
        found = Path(shutil.which("uploader") or found)
    for path in (found, Path(os.path.realpath(sys.executable))):
        if any(path.is_relative_to(home) for home in HOMES):
            raise ConfigurationError(f"The program lies at {path}, which a service does not see.", INSTALL)
        if hidden := [place for place in path.parents if not place.stat().st_mode & stat.S_IXOTH]:
            raise ConfigurationError(
                f"The user {USER} may not enter {hidden[0]}, where the program lies.", INSTALL
            )
    return found


def require_key(settings: Settings) -> None:
    """Raises ConfigurationError where the service would not have a key."""
    own = settings.platform.api_key_file
    if own is not None:
        raise ConfigurationError(
            f"The configuration names the key file {own}, which the service's user is not to read.",
            f"Move the key to {KEY} (root's, chmod 600) and remove api_key_file: systemd hands the service a copy.",
        )
    if not KEY.is_file():
        raise ConfigurationError(f"The key is missing at {KEY}.", "`uploader init` puts it there.")


def _shown(name: str, unit: str = UNIT) -> str:
    """A property of a unit, as systemd has it now."""
    done = subprocess.run(  # noqa: S603 - systemd's own
        ["systemctl", "show", unit, "--property", name, "--value"],  # noqa: S607 - likewise
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
