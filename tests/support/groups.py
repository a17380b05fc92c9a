"""Groups of files in drop folders, looks at them, and crashes at named points."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

from uploader import failpoints
from uploader.core.model import Sighting
from uploader.watch import FolderSpec, look


def seen(folder: Path, name: str | bytes = "a.tif", **options: object) -> Sighting:
    """One look at a raster that has to be there."""
    sighting = look(FolderSpec(str(folder), **options), os.fsencode(name))  # type: ignore[arg-type]
    assert sighting is not None
    return sighting


def make_group(folder: Path, stem: str = "a", content: bytes = b"II*\0 raster") -> Sighting:
    """A raster with two sidecars."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.tif").write_bytes(content)
    (folder / f"{stem}.tfw").write_bytes(b"1\n0\n0\n-1\n0\n0\n")
    (folder / f"{stem}.tif.aux.xml").write_bytes(b"<PAMDataset/>")
    return seen(folder, f"{stem}.tif")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def crashed_at(name: str, nth: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that is killed where it passes a failpoint the nth time; whether it came so far."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            failpoints._NAME, failpoints._NTH = name, str(nth)
            failpoints._passed.clear()
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed in the child"
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
