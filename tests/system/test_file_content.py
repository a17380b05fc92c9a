"""All bytes of a file: hashed, and copied by the kernel or by hand, to the same end."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.page_cache import dirty_pages
from uploader.system import file_content
from uploader.system.file_content import CHUNK, PIECE

pytestmark = pytest.mark.unit

Copying = Callable[[int, int, int, int, int], int]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """An empty source and an empty target, open."""
    flags = os.O_RDWR | os.O_CREAT
    opened = os.open(tmp_path / "source", flags), os.open(tmp_path / "target", flags)
    yield opened
    for fd in opened:
        os.close(fd)


def taken(source: int, target: int) -> str:
    """The hash of what the target got."""
    digest = hashlib.sha256()
    size = file_content.take(source, target, threading.Event(), digest)
    assert size == os.fstat(target).st_size
    return digest.hexdigest()


def held(fd: int) -> bytes:
    """All bytes of a file."""
    return os.pread(fd, os.fstat(fd).st_size, 0)


def refuse_after(calls: int) -> Copying:
    """The system's call, which the file system refuses after so many times."""
    left = [calls]
    real: Copying = os.copy_file_range

    def copying(*args: int) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(*args)

    return copying


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, CHUNK, 3 * CHUNK + 7, 3 * CHUNK + PIECE + 1])
@pytest.mark.parametrize("refused_after", [0, 1, 9])
def test_the_target_has_what_the_source_has(
    files: tuple[int, int], size: int, refused_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any size, and wherever the kernel leaves the copying to us."""
    source, target = files
    os.pwrite(source, os.urandom(size), 0)
    monkeypatch.setattr(file_content, "reflink", lambda *_: False)
    monkeypatch.setattr(os, "copy_file_range", refuse_after(refused_after))
    assert taken(source, target) == hashlib.sha256(held(source)).hexdigest()
    assert held(target) == held(source)


@pytest.mark.parametrize("refused_after", [0, 1, 9])
def test_a_duplicate_is_a_file_of_its_own(
    tmp_path: Path, refused_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same bytes, wherever the kernel leaves the copying to us; what is there is not written over."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(5 * PIECE + 3))
    monkeypatch.setattr(file_content, "_AT_ONCE", 2 * PIECE + 1)
    monkeypatch.setattr(file_content, "reflink", lambda *_: False)
    monkeypatch.setattr(os, "copy_file_range", refuse_after(refused_after))
    file_content.duplicate(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert not target.samefile(source)
    with pytest.raises(FileExistsError):
        file_content.duplicate(source, target)


def test_a_large_duplicate_is_on_its_way_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but its last part, so that a sync waits for that alone."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(4 * CHUNK))
    if not dirty_pages(source):
        pytest.skip("nothing waits for a disk here")
    monkeypatch.setattr(file_content, "_AT_ONCE", CHUNK)
    monkeypatch.setattr(file_content, "reflink", lambda *_: False)
    file_content.duplicate(source, target)
    assert target.read_bytes() == source.read_bytes()
    assert not dirty_pages(target)


@pytest.mark.parametrize("refused_after", [0, 9])
def test_a_blank_chunk_is_a_hole(
    files: tuple[int, int], refused_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zeros that are written in the source take no room in the target; one that only begins with them is copied."""
    source, target = files
    blank = bytes(4 * CHUNK)
    os.pwrite(source, b"head" + bytes(CHUNK - 4) + blank + bytes(CHUNK - 1) + b"x" + b"tail", 0)
    monkeypatch.setattr(file_content, "reflink", lambda *_: False)
    monkeypatch.setattr(os, "copy_file_range", refuse_after(refused_after))
    assert taken(source, target) == hashlib.sha256(held(source)).hexdigest()
    assert held(target) == held(source)
    assert os.fstat(target).st_blocks * 512 <= 2 * CHUNK + 2 * PIECE


def test_what_is_hashed_is_what_the_target_got(
    files: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that changes behind the kernel's copying is hashed as it was copied."""
    source, target = files
    os.pwrite(source, os.urandom(2 * CHUNK), 0)
    real: Copying = os.copy_file_range

    def then_changed(*args: int) -> int:
        moved = real(*args)
        os.pwrite(source, os.urandom(2 * CHUNK), 0)
        return moved

    monkeypatch.setattr(file_content, "reflink", lambda *_: False)
    monkeypatch.setattr(os, "copy_file_range", then_changed)
    assert taken(source, target) == hashlib.sha256(held(target)).hexdigest()


@pytest.mark.parametrize("work", ["take", "show"])
def test_pieces_take_no_fresh_pages(tmp_path: Path, work: str) -> None:
    """A file is copied and hashed in memory that is there already: fresh pages cost more than the bytes in them."""
    (tmp_path / "a").write_bytes(os.urandom(16 * CHUNK))
    ask = (
        "import os, resource, threading; from uploader.staging.checksums import Hashing;"
        "from uploader.system import file_content, process_memory; process_memory.keep_flat();"
        "a, b = os.open('a', os.O_RDONLY), os.open('b', os.O_RDWR | os.O_CREAT);"
        f"work = lambda: file_content.{work}(a, *([b] if '{work}' == 'take' else []), threading.Event(), Hashing());"
        "work(); os.ftruncate(b, 0); before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt; work();"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 16 * CHUNK // 4096 // 8
