"""What a reader pays for bands that lie together, apart, or apart within each tile, over HTTP from this machine.

    python benchmarks/interleave.py [--bands 8] [--side 4096] [--write docs/performance.md]

Needs GDAL 3.11, whose COG driver can write all three. Each question is asked of a fresh process, twelve times at places
spread over the raster, as a tile server asks: a window of one tile, of some bands. Prints requests and bytes for
one question, and processor time of the reader, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
import rasters

_WAYS = ("PIXEL", "BAND", "TILE")
_PLACES = 12
_TILE = 512
_MARKS = ("<!-- interleaved -->", "<!-- end of interleaved -->")
_READER = """
import json, sys, time, rasterio
address, bands, places = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", VSI_CACHE="NO"), rasterio.open(address) as dataset:
    begun = time.process_time()
    for row, column in places:
        dataset.read(bands, window=((row, row + 512), (column, column + 512)))
    print(time.process_time() - begun)
"""


class _Counted(BaseHTTPRequestHandler):
    """Serves ranges of one file, and counts them."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        """The size."""
        self._answer(b"", self.server.path.stat().st_size)  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        """One range."""
        server: Any = self.server
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        with server.path.open("rb") as file:
            file.seek(int(first))
            content = file.read(int(last) - int(first) + 1 if last else -1)
        server.requests += 1
        server.sent += len(content)
        whole = server.path.stat().st_size
        self._answer(content, len(content), f"bytes {first}-{int(first) + len(content) - 1}/{whole}")

    def _answer(self, content: bytes, length: int, part: str = "") -> None:
        self.send_response(206 if part else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(length))
        if part:
            self.send_header("Content-Range", part)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def _served(path: Path) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Counted)
    server.path, server.requests, server.sent = path, 0, 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _made(path: Path, bands: int, side: int) -> None:
    """Reflectances of so many bands, in strips."""
    shape = {"width": side, "height": side, "count": bands, "dtype": "uint16"}
    random, band = np.random.default_rng(7), rasters.KINDS["uint16"][0]
    with rasterio.open(path, "w", driver="GTiff", photometric="minisblack", **shape) as dataset:
        for row in range(0, side, _TILE):
            rows = slice(row, min(row + _TILE, side))
            pixels = np.stack([band(rows, side, n, random) for n in range(bands)])
            dataset.write(pixels, window=((rows.start, rows.stop), (0, side)))


def _asked(path: Path, bands: list[int], side: int) -> tuple[float, float, float]:
    """Requests, kilobytes and milliseconds for one question; what opening costs is taken off."""
    spots = np.linspace(0, (side // _TILE) ** 2 - 1, _PLACES).astype(int)
    places = [[int(n) // (side // _TILE) * _TILE, int(n) % (side // _TILE) * _TILE] for n in spots]
    found = []
    for asked in ([], places):
        with _served(path) as server:
            address = f"/vsicurl/http://127.0.0.1:{server.server_port}/{path.name}"
            command = [sys.executable, "-c", _READER, address, json.dumps(bands), json.dumps(asked)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
            found.append((server.requests, server.sent, float(done.stdout)))
    (opening, head, _), (requests, sent, spent) = found
    return (requests - opening) / _PLACES, (sent - head) / _PLACES / 1e3, 1e3 * spent / _PLACES


def _table(bands: int, side: int) -> Iterator[str]:
    yield f"GDAL {rasterio.__gdal_version__}; {bands} bands of uint16, {side} x {side}, DEFLATE, tiles of {_TILE}."
    yield ""
    yield (
        "| interleave | MB | "
        + " | ".join(f"{name}: requests | kB | ms" for name in ("one band", "three bands", "all bands"))
        + " |"
    )
    yield "|---" * 11 + "|"
    form = {"COMPRESS": "DEFLATE", "PREDICTOR": "YES", "LEVEL": "1", "OVERVIEW_RESAMPLING": "AVERAGE"}
    with tempfile.TemporaryDirectory(dir=".") as folder:
        plain = Path(folder) / "plain.tif"
        _made(plain, bands, side)
        for way in _WAYS:
            path = Path(folder) / f"{way.lower()}.tif"
            rasterio.shutil.copy(plain, path, driver="COG", INTERLEAVE=way, NUM_THREADS="ALL_CPUS", **form)
            cells = [f"{path.stat().st_size / 1e6:.1f}"]
            for wanted in ([1], [1, 2, 3], list(range(1, bands + 1))):
                requests, kilobytes, spent = _asked(path, wanted, side)
                cells += [f"{requests:.1f}", f"{kilobytes:,.0f}", f"{spent:.0f}"]
            yield f"| {way} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table, and put it into a document if asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bands", type=int, default=8)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    lines = []
    for line in _table(given.bands, given.side):
        print(line, flush=True)
        lines.append(line)
    if given.write:
        before, _, rest = given.write.read_text().partition(_MARKS[0])
        text = "\n".join(("", "", *lines, "", ""))
        given.write.write_text(before + _MARKS[0] + text + _MARKS[1] + rest.partition(_MARKS[1])[2])


if __name__ == "__main__":
    main()
