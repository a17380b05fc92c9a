"""What a small file costs: the daemon against the shell loop of the platform's upload guide, in one run.

    PYTHONPATH=. python benchmarks/per_file.py [--files 500 10000] [--kb 64] [--loop 200] [--window 0] [--json]

Files that are sent as they are (`passthrough`) lie in the drop folder before `uploader run --until-idle` starts. The
platform is a minimal server in a process of its own, whose processor time is printed beside the daemon's: it answers
each call at once and forgets the bytes. A run of one file comes first: what it takes is the start, which is printed and
taken off the others. Of the time of a run nothing is taken off: the files settle for a second, and the last batch
lingers for ten. The loop does what the guide shows with curl: initiate, signed_url, PUT and complete for each file.
`--window N` gives the server a window of N calls for each minute, beyond which it refuses; then what counts is the
least share of it that the daemon used of any minute but the first and the last, and that nothing was refused.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

from as_installed import keep_bytecode

LOOP = """
set -eu
call() { curl -sf "$BASE/v1/op/$1" -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' -d "$2"; }
field() { sed 's/.*"'"$1"'": *"\\([^"]*\\)".*/\\1/'; }
for file in "$FOLDER"/*; do
  name=$(basename "$file"); size=$(stat -c %s "$file")
  id=$(call uploads.initiate '{"project_id":"p-1","file_count":1,"total_bytes":'"$size"'}' | field id)
  url=$(call uploads.signed_url '{"upload_id":"'"$id"'","file_name":"'"$name"'"}' | field upload_url)
  curl -sf -H 'Content-Type: image/tiff' -T "$file" "$url" > /dev/null
  call uploads.complete '{"upload_id":"'"$id"'"}' > /dev/null
done
"""
"""The guide's four calls for each file, as a shell script."""


class Platform(asyncio.Protocol):
    """As little of a platform as both sides need: sessions, names of files, items. Nothing is checked."""

    files: ClassVar[dict[str, list[str]]] = {}
    items: ClassVar[list[dict[str, str]]] = []
    calls: ClassVar[dict[str, int]] = {}
    window: ClassVar[int] = 0
    """Calls that it takes in each minute of the clock, as the platform counts them; 0: all."""
    minutes: ClassVar[dict[int, int]] = {}
    """By minute of the clock: the calls that it took."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self.transport: Any = transport
        self.data, self.left, self.hash = b"", 0, hashlib.md5(usedforsecurity=False)
        self.head: tuple[str, str] | None = None

    def data_received(self, data: bytes) -> None:
        """Requests come one after the other; a PUT's body is hashed as it comes, and forgotten."""
        self.data += data
        while True:
            if self.head is None:
                head, end, rest = self.data.partition(b"\r\n\r\n")
                if not end:
                    return
                first, *fields = head.decode("latin-1").split("\r\n")
                method, target, _ = first.split(" ")
                named = {k.lower(): v.strip() for k, _, v in (field.partition(":") for field in fields)}
                self.head, self.data, self.left = (method, target), rest, int(named.get("content-length", 0))
                self.hash = hashlib.md5(usedforsecurity=False)
                if named.get("expect"):
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self.head[0] == "PUT":
                part, self.data = self.data[: self.left], self.data[self.left :]
                self.hash.update(part)
                self.left -= len(part)
                if self.left:
                    return
                digest = base64.b64encode(self.hash.digest()).decode()
                self._send(b"", f"x-goog-hash: md5={digest}\r\n")
            else:
                if len(self.data) < self.left:
                    return
                body, self.data = self.data[: self.left], self.data[self.left :]
                if self._beyond(self.head[1]):
                    self._send(b"{}", "Retry-After: 1\r\n", status="429 Too Many Requests")
                else:
                    self._send(json.dumps(self._answer(self.head[1], body)).encode())
            self.head = None

    def _beyond(self, target: str) -> bool:
        """Whether the window has no room for another call; where it has, the call takes it."""
        if not self.window or target.endswith("token"):
            return False
        now = int(time.time() // 60)
        if self.minutes.get(now, 0) >= self.window:
            self.calls["refused"] = self.calls.get("refused", 0) + 1
            return True
        self.minutes[now] = self.minutes.get(now, 0) + 1
        return False

    def _send(self, body: bytes, fields: str = "", *, status: str = "200 OK") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def _answer(self, target: str, body: bytes) -> dict[str, Any]:
        operation = target.rpartition("/")[2]
        self.calls[operation] = self.calls.get(operation, 0) + 1
        if operation == "token":
            return {"access_token": "t", "token_type": "Bearer", "expires_in": 300}
        asked = json.loads(body)
        if operation == "uploads.initiate":
            upload = f"u_{len(self.files)}"
            self.files[upload] = []
            return {"id": upload, "status": "initiated"}
        if operation == "uploads.signed_url":
            self.files[asked["upload_id"]].append(asked["file_name"])
            host = self.transport.get_extra_info("sockname")
            return {"upload_url": f"http://{host[0]}:{host[1]}/o/{asked['file_name']}", "expires_in": 3600}
        if operation == "uploads.complete":
            return {"id": asked["upload_id"], "item_ids": self._make(asked["upload_id"])}
        if operation == "items.list":
            start = asked.get("offset", 0)
            newest = self.items[::-1][start : start + asked.get("limit", 100)]
            return {"items": newest}
        return {"id": asked.get("upload_id", "")}

    def _make(self, upload: str) -> list[str]:
        made = [
            {"id": f"it_{len(self.items) + n}", "name": name, "file_name": name, "upload_id": upload}
            for n, name in enumerate(dict.fromkeys(self.files[upload]))
        ]
        self.items.extend(made)
        return [item["id"] for item in made]


def serve(listener: socket.socket, pipe: Any, window: int) -> None:
    """Serve until the pipe is told to tell; then say what it cost, and go on."""
    Platform.window = window

    async def run() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_server(Platform, sock=listener)
        while True:
            await loop.run_in_executor(None, pipe.recv)
            used = resource.getrusage(resource.RUSAGE_SELF)
            whole = [Platform.minutes[minute] for minute in sorted(Platform.minutes)[1:-1]]
            least = min(whole) / window if whole else None
            pipe.send((used.ru_utime + used.ru_stime, dict(Platform.calls), len(Platform.items), least))
            Platform.calls.clear()
            Platform.minutes.clear()

    asyncio.run(run())


class Bench:
    """A server, a folder of files, and the two who send them."""

    def __init__(self, root: Path, options: argparse.Namespace) -> None:
        self.root, self.options = root, options
        self.start = 0.0
        """Processor seconds of a run of one file."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.pipe, far = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(
            target=serve, args=(listener, far, options.window), daemon=True
        )
        self.process.start()
        (root / "key").write_text("gpra_benchmark_0001")
        (root / "key").chmod(0o600)

    def told(self) -> tuple[float, dict[str, int], int, float | None]:
        """The server's processor seconds, calls since it was asked last, items, and the least use of its window."""
        self.pipe.send(None)
        told: tuple[float, dict[str, int], int, float | None] = self.pipe.recv()
        return told

    def fill(self, name: str, files: int) -> Path:
        """A folder of different files."""
        folder = self.root / name
        folder.mkdir()
        for number in range(files):
            (folder / f"{number:06}.dat").write_bytes(os.urandom(self.options.kb << 10))
        return folder

    def daemon(self, files: int) -> dict[str, Any]:
        """What the daemon takes for so many files."""
        drop = self.fill(f"drop-{files}", files)
        config = self.root / f"config-{files}.toml"
        config.write_text(
            f'state_dir = "{self.root}/state-{files}"\n[platform]\nbase_url = "{self.base}"\n'
            f'api_key_file = "{self.root}/key"\nrequests_per_minute = {self.options.window}\n'
            '[limits]\nmin_free_bytes = 0\n[dashboard]\nlisten = ""\n'
            f'[[folders]]\npath = "{drop}"\nproject_id = "p-1"\nsettle_seconds = 1.0\npassthrough = ["*.dat"]\n'
        )
        command = [sys.executable, "-m", "uploader", "run", "--until-idle", "-c", str(config)]
        before = self.told()
        spent = self._timed(command, self.root / f"daemon-{files}.log")
        after = self.told()
        made = after[2] - before[2]
        if made != files:
            raise SystemExit(
                f"{made} items of {files} files; see the log:\n" + _tail(self.root / f"daemon-{files}.log")
            )
        shutil.rmtree(drop)
        row = self._row(files, spent, after[0] - before[0], after[1], start=self.start)
        used = after[3]
        return row | ({"window_used": "not seen" if used is None else used} if self.options.window else {})

    def loop(self, files: int) -> dict[str, Any]:
        """What the guide's loop takes for so many files."""
        folder = self.fill("loop", files)
        environment = {**os.environ, "BASE": self.base, "KEY": "gpra_benchmark_0001", "FOLDER": str(folder)}
        before = self.told()
        spent = self._timed(["bash", "-c", LOOP], self.root / "loop.log", environment)
        after = self.told()
        shutil.rmtree(folder)
        if after[2] - before[2] != files:
            raise SystemExit("the loop failed:\n" + _tail(self.root / "loop.log"))
        return self._row(files, spent, after[0] - before[0], after[1])

    def _timed(
        self, command: list[str], log: Path, environment: dict[str, str] | None = None
    ) -> tuple[float, float]:
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with log.open("wb") as file:
            subprocess.run(command, stdout=file, stderr=file, check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return time.monotonic() - began, used

    def _row(
        self, files: int, spent: tuple[float, float], server: float, calls: dict[str, int], start: float = 0.0
    ) -> dict[str, Any]:
        seconds, used = spent
        return {
            "files": files,
            "seconds": round(seconds, 2),
            "files_per_second": round(files / seconds, 1),
            "cpu_seconds": round(used, 2),
            "cpu_ms_per_file": round((used - start) / files * 1000, 2),
            "server_cpu_ms_per_file": round(server / files * 1000, 2),
            "calls_per_file": round(sum(calls.values()) / files, 3),
            "calls_per_minute": round(sum(calls.values()) / seconds * 60),
            "refused": calls.get("refused", 0),
        }


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def main() -> None:
    """Parse, run the sides in turn, print."""
    parser = argparse.ArgumentParser(description="What a small file costs, daemon against shell loop.")
    parser.add_argument("--files", type=int, nargs="+", default=[500])
    parser.add_argument("--kb", type=int, default=64)
    parser.add_argument("--loop", type=int, default=200, help="files of the shell loop; 0: leave it out")
    parser.add_argument(
        "--window", type=int, default=0, help="requests_per_minute of the daemon; 0: no limit"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    keep_bytecode()
    rows = {}
    with tempfile.TemporaryDirectory(prefix="per-file-") as folder:
        bench = Bench(Path(folder), options)
        rows["start, 1 file"] = bench.daemon(1)
        bench.start = rows["start, 1 file"]["cpu_seconds"]
        for files in options.files:
            rows[f"daemon, {files:,} files"] = bench.daemon(files)
            if options.loop:
                rows[f"shell loop, beside {files:,}"] = bench.loop(options.loop)
        bench.process.terminate()
    if options.json:
        print(json.dumps(rows))
        return
    for name, row in rows.items():
        print(f"{name:28}" + "  ".join(f"{key} {value}" for key, value in row.items() if key != "files"))


if __name__ == "__main__":
    main()
