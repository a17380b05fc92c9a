"""Groups of files in drop folders, looks at them, and crashes at named points."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.configured import watched
from uploader.core.model import Sighting
from uploader.folders import look
from uploader.system import failpoints


def seen(folder: Path, name: str | bytes = "a.tif", **options: object) -> Sighting:
    """One look at a raster that has to be there."""
    sighting = look(watched(folder, **options), os.fsencode(name))
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
        except BaseException:  # noqa: BLE001 - the parent sees the exit code, people the traceback
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work failed in the child"
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


NOBODY = 65534


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that other users reach; pytest's own is closed to them."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(work: Callable[[], object]) -> bool:
    """Whether `work` succeeds in a child that has no rights."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setresuid(NOBODY, NOBODY, NOBODY)
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - as above
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def listed(folder: Path | bytes) -> list[str]:
    """The names in a folder, sorted."""
    with os.scandir(os.fspath(folder)) as entries:
        return sorted(os.fsdecode(entry.name) for entry in entries)
