"""A whole world for end-to-end tests: a sandbox, drop folders, a configuration, and daemons as real processes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.audit import Audit, audit, problems
from tests.support.compare import differences
from uploader.cli.status import look
from uploader.config import load
from uploader.core.naming import TOKEN
from uploader.core.path_text import lossless
from uploader.daemon.containment import CONTAINED
from uploader.journal import Reader
from uploader.sandbox import Options, Sandbox

DEADLINE = 300.0
"""Seconds for what must come to an end, however busy the machine is."""

PATIENCE = 120.0
"""Seconds for what must come to pass."""


@dataclass
class World:
    """Everything below one temporary folder. `settle` in seconds; folders are TOML tables as Python dicts."""

    root: Path
    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    folders: list[dict[str, Any]] = field(default_factory=list)
    settle: float = 0.3
    workers: int = 2
    """How many conversions run at once; a daemon starts a process for each."""
    home: Path | None = None
    """Where the state directory lies, if not below `root`."""
    prefix: Sequence[str] = ()
    """A command that starts the daemons, such as `setpriv` with its options."""
    constants: dict[str, float] = field(default_factory=dict)
    """By module and name: seconds of the program that daemons in the background take for others, to wait less."""
    planted: bool = False
    """Mistakes were planted into the program; else one that a daemon contained is an error."""
    box: Sandbox = None  # type: ignore[assignment]

    @property
    def drop(self) -> Path:
        """The first drop folder."""
        return Path(self.folders[0]["path"])

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.root / "config.toml"

    @property
    def state(self) -> Path:
        """The state directory."""
        return (self.home or self.root) / "state"

    def open(self) -> None:
        """Start the sandbox and write the configuration."""
        if not self.folders:
            self.folders = [{"path": str(self.root / "drop"), "project_id": "p-1"}]
        for folder in self.folders:
            Path(folder["path"]).mkdir(parents=True, exist_ok=True)
        (self.root / "box").mkdir(exist_ok=True)
        # Nobody looks at the items' pictures here, and a child that draws them costs a third of a second.
        given = {"rate_limit": 0, "pipeline_delay": 3600.0, **self.options}
        self.box = Sandbox(Options(root=self.root / "box", api_key="gpra_canary_key_0001", **given))
        self.box.__enter__()
        key = self.root / "key"
        key.write_text(self.box.api_key)
        key.chmod(0o600)
        self.write_config()

    def write_config(self) -> None:
        """(Re)write the configuration from `settings` and `folders`."""
        tables: dict[str, dict[str, Any]] = {
            "platform": {
                "base_url": self.box.base_url,
                "api_key_file": str(self.root / "key"),
                "requests_per_minute": 0,
            },
            "batch": {"linger_seconds": 0.3, "max_wait_seconds": 5.0},
            "convert": {"workers": self.workers},
            "limits": {"min_free_bytes": 0},
            "dashboard": {"listen": ""},
        }
        for name, table in self.settings.items():
            tables[name] = {**tables.get(name, {}), **table}
        lines = [f"state_dir = {json.dumps(str(self.state))}"]
        for name, table in tables.items():
            lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
        for folder in self.folders:
            merged = {"settle_seconds": self.settle, "rescan_seconds": 5.0, **folder}
            lines += ["[[folders]]", *(f"{key} = {_toml(value)}" for key, value in merged.items())]
        self.config.write_text("\n".join(lines) + "\n")

    def copies(self) -> list[str]:
        """Names in staging, but for the file by which a scan knows it."""
        return [p.name for p in (self.state / "staging").glob("*") if p.name != lossless(TOKEN)]

    def require_sound(self) -> None:
        """No daemon that ran in the background has contained a mistake that was not planted."""
        log = self.root / "daemon.log"
        if log.exists():
            self._require_sound(log.read_text(errors="replace"))

    def _require_sound(self, log: str) -> None:
        assert self.planted or CONTAINED not in log, log[log.index(CONTAINED) - 100 :][:4000]

    def close(self) -> None:
        """Stop the sandbox."""
        self.box.__exit__(None, None, None)

    def command(
        self,
        *arguments: str,
        check: int | None = None,
        prefix: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        timeout: float = DEADLINE,
        **more: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run one command of the program to its end."""
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "uploader", *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment(**environment or {}),
            check=False,
            **more,
        )
        self._require_sound(done.stderr)
        if check is not None:
            assert done.returncode == check, (
                f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def until_idle(self, check: int | None = 0, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run the daemon until only ends and holds are left."""
        return self.command("run", "-c", str(self.config), "--until-idle", check=check, **more)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of this process, so that a checkout is found, without anybody's key."""
        paths = os.pathsep.join([p for p in sys.path if p] + [str(Path.cwd())])
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GEOPERA", "UPLOADER"))}
        return {**kept, "PYTHONPATH": paths, "COVERAGE_PROCESS_START": "", "UPLOADER_COMPARE": "1", **more}

    def start(self, log: Path | None = None, **environment: str) -> subprocess.Popen[bytes]:
        """Start a daemon in the background, in a process group of its own."""
        output = (log or self.root / "daemon.log").open("ab")
        return subprocess.Popen(
            [*self.prefix, sys.executable, *self._program(), "run", "-c", str(self.config)],
            stdout=output,
            stderr=output,
            env=self.environment(**environment),
            start_new_session=True,
        )

    def _program(self) -> list[str]:
        if not self.constants:
            return ["-m", "uploader"]
        modules = {name.rpartition(".")[0] for name in self.constants}
        lines = [*(f"import {module}" for module in sorted(modules)), "from uploader.start import main"]
        return [
            "-c",
            "\n".join([*lines, *(f"{name} = {value}" for name, value in self.constants.items()), "main()"]),
        ]

    def awake(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until a daemon that was just started says its first word, or is dead; on a busy machine that takes."""
        log = self.root / "daemon.log"
        before, end = log.stat().st_size, time.monotonic() + PATIENCE
        while log.stat().st_size == before and process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

    @contextmanager
    def daemon(self, **environment: str):
        """A daemon for the length of a block; it is asked to end, and must."""
        process = self.start(**environment)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)

    def status(self) -> dict[str, Any]:
        """What `uploader status --json` prints, without the start of a process for each look."""
        return json.loads(json.dumps(look(load(self.config, look=False))))

    def items(self) -> list[dict[str, Any]]:
        """Completed files as the journal tells them."""
        with Reader(self.state) as reader:
            return reader.items()

    def wait(self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait until a condition holds; returns what it returned."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        log = self.root / "daemon.log"
        tail = log.read_text(errors="replace")[-4000:] if log.exists() else ""
        raise AssertionError(f"not within {seconds:.0f} s: {what}\n{tail}")

    def fault(self, rule: dict[str, Any]) -> bool:
        """Let the sandbox misbehave; see `uploader.sandbox.faults`."""
        request = urllib.request.Request(
            f"{self.box.base_url}/sandbox/faults",
            data=json.dumps(rule).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status == 200

    def audit(self) -> Audit:
        """What truly is in the sandbox's folder."""
        return audit(self.root / "box")

    def problems(self, **more: Any) -> list[str]:
        """Everything that is wrong on the platform's side."""
        return problems(self.audit(), **more)

    def object(self, file_name: str) -> Path:
        """The stored object of a file name."""
        with closing(sqlite3.connect(self.root / "box" / "sandbox.sqlite")) as database:
            (blob,) = database.execute("SELECT blob FROM object WHERE file_name = ?", (file_name,)).fetchone()
        return self.root / "box" / "objects" / blob

    def unlike(self, source: Path) -> list[str]:
        """How the item made of a source differs from it; the item is found by the stem of its name."""
        names = [n for n in self.audit().file_names if n.rpartition("-")[0] == source.stem]
        assert len(names) == 1, f"{source.name} has {len(names)} items"
        return differences(source, self.object(names[0]))


def _toml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


@contextmanager
def world(root: Path, **facts: Any):
    """A world for the length of a block."""
    made = World(root, **facts)
    made.open()
    try:
        yield made
        made.require_sound()
    finally:
        made.close()
