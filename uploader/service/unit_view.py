"""A command as the unit would run it: the same user, credential and sandbox, without the unit itself."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from uploader.core.errors import UploaderError
from uploader.service.unit_files import UNIT, settings_of

LEFT_OUT = (
    "Type",
    "NotifyAccess",
    "Restart",
    "Exec",
    "SuccessExitStatus",
    "Timeout",
    "Watchdog",
    "Kill",
    "Standard",
)
"""How keys begin that say when a service starts and ends, and not what it may do."""

BY_HAND = "Run `uploader check` as the user that the daemon will run as."


def command_in_unit(*more: str) -> list[str]:
    """`uploader check` with `more` options, as the installed unit would run it, as arguments of systemd-run.

    Raises UploaderError with the reason where there is no systemd, no unit, or no right to ask for it.
    """
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemd-run") is None:
        raise UploaderError("systemd does not run here, so no unit can be tried out.", BY_HAND)
    asked = subprocess.run(  # noqa: S603 - systemd's own
        ["systemctl", "cat", UNIT],  # noqa: S607 - likewise
        check=False,
        capture_output=True,
        text=True,
    )
    if asked.returncode:
        raise UploaderError(f"There is no unit {UNIT} here.", "`uploader install-service` installs it.")
    return transient(asked.stdout, *more)


def transient(unit: str, *more: str) -> list[str]:
    """The arguments of systemd-run for a check under the settings of a unit, its drop-ins after it."""
    found, start = [], ""
    for key, value in settings_of(unit):
        if key == "ExecStart":
            start = value or start
        elif not key.startswith(LEFT_OUT):
            found += ["--property", f"{key}={value}"]
    program, _, *options = (word.replace("%%", "%").replace("$$", "$") for word in shlex.split(start))
    run = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", *found]
    return [*run, "--", program, "check", *options, *more]
