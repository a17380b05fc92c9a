"""A running daemon that is given faults one after another: drop, wait, and look at it from the platform's side."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.rasters import make
from tests.support.world import PATIENCE, World, world
from uploader.core.path_text import shown
from uploader.journal import Reader

ENDED = ("completed", "failed", "lost")


class Live:
    """A world whose daemon stays up while faults come and go."""

    def __init__(self, w: World) -> None:
        self.w = w
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        self.dropped: list[Path] = []

    def up(self, **environment: str) -> None:
        """Start the daemon; wait until it listens."""
        self.environment.update(environment)
        (self.w.state / "control.sock").unlink(missing_ok=True)
        self.process = self.w.start(**self.environment)
        self.w.wait((self.w.state / "control.sock").exists, "the daemon is up")

    def end(self, *, number: int = signal.SIGTERM, seconds: float = PATIENCE) -> int:
        """Signal the daemon and wait for its end; returns its code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.process = None
        return code

    @property
    def alive(self) -> bool:
        """Whether the daemon still runs."""
        return self.process is not None and self.process.poll() is None

    def drop(self, name: str, *, kind: str = "dem_nodata", size: int = 64, seed: int | None = None) -> Path:
        """Let a raster appear in the drop folder at once, by rename."""
        hidden = self.w.drop / f".{abs(hash(name))}.part"
        make(kind, hidden, size=size, seed=len(self.dropped) + 1 if seed is None else seed)
        path = self.w.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden.rename(path)
        self.dropped.append(path)
        return path

    def drop_some(self, count: int, prefix: str = "f", **more: Any) -> list[Path]:
        """Several at once."""
        return [self.drop(f"{prefix}{number:05d}.tif", **more) for number in range(count)]

    def status(self) -> dict[str, Any]:
        """The status as the journal tells it, without starting a command."""
        with Reader(self.w.state) as reader:
            return reader.status()

    def idle(self, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait until no file is on its way and no session has anything left to say; returns the status.

        The last file of a session is rejected a moment before `fail` has given its reservation back. A hold may
        keep a session for good, so where there is one the sessions are not waited for.
        """

        def done() -> dict[str, Any] | None:
            with Reader(self.w.state) as reader:
                known = {row["path"] for row in reader.files()}
                status = reader.status()
            if not known >= {shown(str(p)) for p in self.dropped} or status["pending"]:
                return None
            ended = not any(n for state, n in status["sessions"].items() if state not in ENDED)
            return status if ended or status["holds"] else None

        found: dict[str, Any] = self.w.wait(done, "no file is on its way", seconds)
        return found

    def held(self, scope: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait for a hold of this scope; returns it."""

        def there() -> dict[str, Any] | None:
            return next((hold for hold in self.status()["holds"] if hold["scope"] == scope), None)

        found: dict[str, Any] = self.w.wait(there, f"a hold of scope {scope}", seconds)
        return found

    def fault(self, operation: str, kind: str = "status", *, count: int | None = 1, **more: Any) -> None:
        """Order a fault of the sandbox; see `uploader.sandbox.faults`."""
        when = {**({"count": count} if count else {}), **more.pop("when", {})}
        self.w.fault({"operation": operation, "kind": kind, "when": when, **more})

    def behave(self) -> None:
        """No more faults of the sandbox."""
        control(self.w, "faults", None, "DELETE")

    def struck(self) -> int:
        """How many calls were hit by the faults in force."""
        return sum(rule["struck"] for rule in control(self.w, "faults", None, "GET")["faults"])

    def wrong(self, **more: Any) -> list[str]:
        """All that is wrong now; see `judged`. The daemon must be alive."""
        found = judged(self.w, self.dropped, **more)
        if self.process is not None and not self.alive:
            found.append(f"the daemon ended by itself with {self.process.returncode}")
        log = self.w.root / "daemon.log"
        if log.exists() and b"Traceback" in log.read_bytes():
            found.append("the log has a traceback")
        return found


@contextmanager
def live(
    root: Path, *, start: bool = True, environment: dict[str, str] | None = None, **facts: Any
) -> Iterator[Live]:
    """A running daemon for the length of a block."""
    with world(root, **facts) as w:
        made = Live(w)
        try:
            if start:
                made.up(**(environment or {}))
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.process.send_signal(signal.SIGTERM)
                try:
                    made.process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    made.process.kill()
                    made.process.wait()


def judged(
    w: World,
    sources: Sequence[Path],
    *,
    rejected: Sequence[Path] = (),
    twins: bool = False,
    missing_sources: bool = False,
    versions: Sequence[Path] = (),
    pending: int = 0,
) -> list[str]:
    """All that is wrong: each source is one item with its bytes, or was rejected with a reason, and nothing is left.

    Reserved bytes and open sessions may be left where initiates went unanswered, never more than the status tells.
    `missing_sources`: the sources may be gone, so their pixels are not compared. `versions`: those that may have more
    than one item, of other contents.
    """
    with Reader(w.state) as reader:
        status, items = reader.status(), reader.items()
    found = w.audit()
    wrong = (
        [] if status["pending"] == pending else [f"{status['pending']} files are on their way, not {pending}"]
    )
    count = Counter(found.file_names)
    by_path: Counter[str] = Counter(row["path"] for row in items)
    for source in sources:
        expected = 0 if source in rejected else 1
        if by_path[shown(str(source))] != expected and not (
            source in versions and by_path[shown(str(source))]
        ):
            wrong.append(f"{source.name!r}: {by_path[shown(str(source))]} completed, not {expected}")
    wrong += [
        f"{row['file_name']}: {count[row['file_name']]} items" for row in items if not count[row["file_name"]]
    ]
    wrong += (
        [] if len(items) == len(found.items) else [f"{len(found.items)} items, {len(items)} in the journal"]
    )
    if not twins:
        wrong += [f"{name}: {n} items" for name, n in count.items() if n > 1]
    wrong += amiss(w, status["possibly_leaked_bytes"], twins=twins)
    told = {failure["path"]: failure["reason"] for failure in status["failed"]}
    wrong += [f"{path}: rejected without a reason" for path, reason in told.items() if len(reason) < 12]
    wrong += [f"rejected: {path}: {told[path]}" for path in told if path not in {str(p) for p in rejected}]
    if not missing_sources:
        wrong += _unlike(w, sources, items)
    wrong += _staging(w) if not pending else []
    return wrong


def _unlike(w: World, sources: Sequence[Path], items: Sequence[dict[str, Any]]) -> list[str]:
    from tests.support.compare import differences  # noqa: PLC0415  imports GDAL, which half of the rows do not need

    paths = {str(source): source for source in sources if source.exists()}
    latest = {row["path"]: row for row in items if row["path"] in paths}
    return [
        f"{path}: {text}"
        for path, row in latest.items()
        for text in differences(paths[path], w.object(row["file_name"]))
    ]


def _staging(w: World) -> list[str]:
    """Private copies that are left a moment after everything has ended."""
    with Reader(w.state) as reader:
        kept = {str(row["id"]) for row in reader.files() if row["state"] == "rejected"}
    end = time.monotonic() + 30
    while left := [name for name in w.copies() if name not in kept]:
        if time.monotonic() > end:
            return [f"left in staging: {sorted(left)[:5]}"]
        time.sleep(0.05)
    return []


def amiss(w: World, possibly_leaked: int, *, twins: bool = False) -> list[str]:
    """What the audit finds wrong, but for refusals that were injected and leaks that were told."""
    found = w.audit()
    injected = {event.id for event in found.calls() if event.detail.startswith("fault:")}
    allowed = len(found.open_sessions) if found.reserved_bytes <= possibly_leaked else 0
    wrong = []
    for line in w.problems(open_sessions=allowed, twins=found.file_names if twins else ()):
        number = re.match(r"call (\d+):", line)
        if not (number and int(number[1]) in injected):
            wrong.append(line)
    if found.reserved_bytes > possibly_leaked:
        wrong.append(f"{found.reserved_bytes} bytes stay reserved, {possibly_leaked} were told")
    return wrong


def control(w: World, what: str, value: Any, method: str = "POST") -> Any:
    """Tell the sandbox something, or ask it."""
    data = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(
        f"{w.box.base_url}/sandbox/{what}",
        data=data,
        method=method,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
