"""The unit under a real systemd: boots an overlay of this machine and lets the service live through a day in minutes.

    python -m tests.systemd.boot [TRIAL...]        # those of tests/systemd/trials, all of them unless named

Needs root, systemd-nspawn (Debian: systemd-container) and Debian's own python3 with venv. Nothing of this machine is
changed: everything is written into an overlay in memory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TRIALS = ("day", "mounts", "reload", "troubles", "upkeep", "install")
SLOWEST = 900.0
"""Seconds for all trials together."""
KEY = "gpra_boot_test_key_0001"
LANDLOCK = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"
"""Calls that a container of systemd 252 does not let through unasked; the unit does."""
CONFIG = """
state_dir = "/var/lib/uploader"
[platform]
base_url = "http://127.0.0.1:8899"
[batch]
linger_seconds = 1
[limits]
min_free_bytes = 0
[[folders]]
path = "/srv/drop"
project_id = "p-1"
settle_seconds = 1.0
after_upload = "archive"
archive_dir = "/srv/done"
"""
SANDBOX_UNIT = f"""
[Service]
ExecStart=/opt/uploader/bin/uploader sandbox --root /var/box --port 8899 --api-key {KEY}
"""
TRIAL_UNIT = """
[Unit]
After=multi-user.target
[Service]
Type=oneshot
Environment=SANDBOX_KEY={key}
ExecStart=/bin/bash /opt/trials/run.sh {trials}
StandardOutput=append:/opt/trial.log
StandardError=append:/opt/trial.log
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
"""
DROP = """
import sys
import numpy as np, rasterio
from rasterio.transform import from_origin
profile = dict(driver="GTiff", width=600, height=600, count=3, dtype="uint8", crs="EPSG:32633")
with rasterio.open(sys.argv[1], "w", transform=from_origin(5e5, 5e6, 1, 1), **profile) as file:
    file.write(np.random.default_rng(int(sys.argv[2])).integers(0, 255, (3, 600, 600)).astype("uint8"))
"""


def missing() -> str:
    """Why it cannot run here; empty where it can."""
    if os.geteuid() != 0:
        return "booting a system needs root"
    if shutil.which("systemd-nspawn") is None:
        return "systemd-nspawn is not installed (Debian: systemd-container)"
    python = subprocess.run(
        ["/usr/bin/python3", "-c", "import venv, ensurepip"], check=False, capture_output=True
    )
    return "" if python.returncode == 0 else "/usr/bin/python3 has no venv (Debian: python3-venv)"


def prepare(root: Path, trials: Sequence[str]) -> None:
    """Install the wheel, the unit, the configuration and the trial into the overlay."""
    wheels = root / "opt"
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(wheels), str(REPOSITORY))
    (wheel,) = wheels.glob("*.whl")
    shutil.copy(REPOSITORY / "constraints.txt", wheels)
    _run("mount", "--bind", "/dev", str(root / "dev"))
    try:
        _run("chroot", str(root), "/usr/bin/python3", "-m", "venv", "/opt/uploader")
        pip = [
            "/opt/uploader/bin/pip",
            "install",
            "-q",
            "-c",
            "/opt/constraints.txt",
            f"/opt/{wheel.name}[sandbox]",
        ]
        _run("chroot", str(root), *pip)
    finally:
        _run("umount", str(root / "dev"))
    units = root / "etc/systemd/system"
    shutil.copytree(REPOSITORY / "systemd", units, dirs_exist_ok=True)
    shutil.copy(REPOSITORY / "systemd/uploader.sysusers", root / "usr/lib/sysusers.d/uploader.conf")
    folders = units / "uploader.service.d/folders.conf"
    folders.write_text(
        folders.read_text().replace("ReadWritePaths=-/srv/drop", "ReadWritePaths=-/srv/drop -/srv/done")
    )
    (units / "sandbox.service").write_text(SANDBOX_UNIT)
    (units / "trial.service").write_text(TRIAL_UNIT.format(trials=" ".join(trials), key=KEY))
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "trial.service").symlink_to("../trial.service")
    for folder in ("etc/uploader", "var/box"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "opt/config.toml").write_text(CONFIG)
    key = root / "etc/uploader/api-key"
    key.touch(0o600)
    key.write_text(KEY)
    (root / "opt/drop.py").write_text(DROP)
    shutil.copytree(Path(__file__).with_name("trials"), root / "opt/trials")


def boot(trials: Sequence[str]) -> list[str]:
    """Boot, wait for the power-off, and return the lines of verdicts."""
    with tempfile.TemporaryDirectory(prefix="boot-") as name:
        memory = Path(name) / "memory"
        memory.mkdir()
        _run("mount", "-t", "tmpfs", "-o", "size=6g", "tmpfs", str(memory))
        root = memory / "root"
        try:
            for part in ("upper", "work", "root"):
                (memory / part).mkdir()
            layers = f"lowerdir=/,upperdir={memory / 'upper'},workdir={memory / 'work'}"
            _run("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
            prepare(root, trials)
            machine = [
                "systemd-nspawn",
                "-q",
                "-D",
                str(root),
                "-b",
                "--private-network",
                "--register=no",
                "--keep-unit",
                f"--system-call-filter={LANDLOCK}",
            ]
            subprocess.run(
                [*machine, "-M", "uploader-trial"], check=False, timeout=SLOWEST, capture_output=True
            )
            return (root / "opt/trial.log").read_text(errors="replace").splitlines()
        finally:
            subprocess.run(["umount", str(root)], check=False)
            _run("umount", str(memory))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Print the verdicts; 0 where all hold."""
    reason = missing()
    if reason:
        sys.stderr.write(f"Cannot boot here: {reason}.\n")
        return 2
    trials = sys.argv[1:] or TRIALS
    lines = boot(trials)
    sys.stdout.write("\n".join(lines) + "\n")
    bad = any(line.startswith("not ok ") for line in lines)
    return 1 if bad or not {f"ended {trial}" for trial in trials} <= set(lines) else 0


if __name__ == "__main__":
    sys.exit(main())
