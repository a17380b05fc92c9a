"""Files that the platform refuses, in a crowd: the refusal names nobody, so batches are halved until it is clear.

    python -m tests.faults.poison --files 300 --poison 10

Afterwards the refusals end, as when the files were mended, and one `retry --all` completes them.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.faults.rows.base import Result
from tests.support.gateway import Call, Gateway
from tests.support.live import Live, live


class Refuser:
    """Answers `complete` with 422 while a session has a file whose name says poison."""

    def __init__(self) -> None:
        self.poisoned: dict[str, set[str]] = {}
        self.on = True
        self.refused = 0

    def __call__(self, call: Call) -> tuple[int, dict[str, Any]] | None:
        """Take note of the files of sessions; refuse."""
        upload = str(call.body.get("upload_id", ""))
        name = str(call.body.get("file_name", ""))
        if call.operation.endswith("signed_url") and "poison" in name:
            self.poisoned.setdefault(upload, set()).add(name)
        if call.operation.endswith("complete") and upload in self.poisoned and self.on:
            self.refused += 1
            return 422, {
                "type": "about:blank",
                "title": "Unprocessable",
                "status": 422,
                "detail": "bad raster data",
            }
        return None


def poison(root: Path, seed: int, *, files: int, poisoned: int, batch: int = 100) -> Result:
    """Drop them all at once; the good ones complete, the poisoned are rejected alone, and `retry --all` mends it."""
    rng, result, refuser = random.Random(seed), Result(), Refuser()
    bad = set(rng.sample(range(files), poisoned))
    with Gateway(answer=refuser) as gateway:
        settings = {"platform": {"proxy": gateway.url}, "batch": {"max_files": batch, "linger_seconds": 2.0}}
        with live(root, start=False, settings=settings) as d:
            rejected = [
                path
                for number in range(files)
                if (path := d.drop(f"{'poison' if number in bad else 'good'}{number:03}.tif", seed=number))
                and number in bad
            ]
            d.up()
            d.idle(120 + files)
            good = len(d.w.audit().items)
            result.add(
                "rejected alone",
                _alone(d, rejected) + ([] if good == files - poisoned else [f"{good} items"]),
            )
            calls = refuser.refused
            refuser.on = False
            d.w.command("retry", "-c", str(d.w.config), "--all", check=0)
            d.idle(120 + poisoned)
            result.add("after retry --all", d.wrong())
    result.told = (
        f"{good} of {files} completed, {poisoned} rejected alone by {calls} refusals; then {files} completed"
    )
    return result


def _alone(d: Live, rejected: list[Path]) -> list[str]:
    told = {failure["path"]: failure["reason"] for failure in d.status()["failed"]}
    wrong = d.wrong(rejected=rejected)
    return wrong + [
        f"{p.name} is not rejected with the reason"
        for p in rejected
        if "bad raster" not in told.get(str(p), "")
    ]


def main() -> int:
    """Poison a crowd from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--poison", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="poison-") as root:
        result = poison(Path(root), given.seed, files=given.files, poisoned=given.poison)
    print(f"seed={given.seed} {result.told}; {len(result.wrong)} wrong, {time.monotonic() - started:.0f} s")
    for line in result.wrong:
        print("  " + line)
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
