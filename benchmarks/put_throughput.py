"""How fast one file is PUT over loopback: ours against curl, taken in turn, and what limits both.

    python benchmarks/put_throughput.py [--gib 1] [--rounds 5] [--file PATH]

The server is a raw sink in a process of its own: it reads and forgets. Prints the best and the median of each side
and the ratio ours / curl of the medians; 1.0 is as fast as curl. Without --file, a file of zeros is made in the
temporary folder and stays in the page cache, so the disk is left out. On a memory file system ours is slower than on
a disk's: tmpfs cannot tell that its bytes are in memory (RWF_NOWAIT), so they are read in a thread.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import anyio
import google_crc32c

from uploader.platform.api import ObjectStore
from uploader.platform.geopera import SignedUrl, open_platform


def sink(listener: socket.socket) -> None:
    """Answer every PUT with 200 once its body is read."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_swallow, args=(connection,), daemon=True).start()


def _swallow(connection: socket.socket) -> None:
    buffer = memoryview(bytearray(1 << 20))
    with connection:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(65536)
                if not part:
                    return
                head += part
            fields, _, rest = head.partition(b"\r\n\r\n")
            names = dict(line.lower().split(b": ", 1) for line in fields.split(b"\r\n")[1:])
            if b"expect" in names:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            left = int(names[b"content-length"]) - len(rest)
            while left > 0:
                left -= connection.recv_into(buffer, min(left, len(buffer)))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def ours(store: ObjectStore, url: str, path: Path, recorded: tuple[int, int]) -> float:
    """Seconds of one PUT by the uploader of a file of the recorded size and CRC-32C."""
    size, crc32c = recorded
    began = time.perf_counter()
    with path.open("rb") as file:
        await store.put(
            SignedUrl.parse(url, allow_http=True),
            file.fileno(),
            size=size,
            content_type="image/tiff",
            crc32c=crc32c,
            on_bytes=lambda _: None,
            stop=lambda: False,
        )
    return time.perf_counter() - began


def crc32c_of(path: Path) -> int:
    """The hash that a PUT compares the file with."""
    found = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found = google_crc32c.extend(found, piece)
    return found


def curl(url: str, path: Path) -> float:
    """Seconds of one PUT by curl, by its own clock (without the start of the process)."""
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{time_total}", "-H", "Content-Type: image/tiff"]
    done = subprocess.run([*command, "-T", str(path), url], check=True, capture_output=True, text=True)
    return float(done.stdout)


async def compare(path: Path, size: int, rounds: int, url: str) -> None:
    """Take turns, and print."""
    recorded = size, crc32c_of(path)
    times: dict[str, list[float]] = {"ours": [], "curl": []}
    door = open_platform(
        base_url=url, auth="api_key", client_id="", read_key=lambda: "unused", requests_per_minute=0
    )
    async with door as (_, store):
        await ours(store, url, path, recorded)
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(rounds):
            times["curl"].append(curl(url, path))
            times["ours"].append(await ours(store, url, path, recorded))
        after = resource.getrusage(resource.RUSAGE_SELF)
    for name, taken in times.items():
        best, middle = size / min(taken) / 1e6, size / statistics.median(taken) / 1e6
        print(f"{name}: best {best:7.0f} MB/s, median {middle:7.0f} MB/s")
    print(f"ratio ours/curl: {statistics.median(times['curl']) / statistics.median(times['ours']):.2f}")
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    share = (after.ru_stime - before.ru_stime) / busy
    print(
        f"limit: our process is on a core for {busy / sum(times['ours']):.0%} of the time, {share:.0%} of that in "
        "the kernel (copying). Near 100 %: the processor is the limit; well below: the receiver, or the disk."
    )


def main() -> None:
    """Parse, start the sink, compare."""
    parser = argparse.ArgumentParser(description="PUT throughput over loopback, ours against curl.")
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if shutil.which("curl") is None:
        parser.error("curl is not installed")
    listener = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=sink, args=(listener,), daemon=True)
    process.start()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder, "zeros.bin")
        if options.file is None:
            with path.open("wb") as file:
                for _ in range(int(options.gib * 1024)):
                    file.write(bytes(1 << 20))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/sink"
        anyio.run(compare, path, path.stat().st_size, options.rounds, url)
    process.terminate()


if __name__ == "__main__":
    main()
