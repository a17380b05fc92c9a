"""Archiving and deleting sources."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.configured import watched
from tests.support.groups import crashed_at, listed, make_group, seen, tree
from uploader.core.errors import LocalError, NoSpace, SourceChanged, SourceUnreadable
from uploader.core.model import Fingerprint, Sighting
from uploader.disposal import Disposed, dispose, leftovers, put_back, rights
from uploader.disposal import archive as archiving
from uploader.folders.scanner import look
from uploader.staging import Interrupted
from uploader.system import files as fs
from uploader.system import libc
from uploader.system.failpoints import within

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("leases")]

FAILPOINTS = within("dispose")

GROUP = ["a.tfw", "a.tif", "a.tif.aux.xml"]


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A drop folder."""
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture(params=["same", "other"])
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """An archive on the drop folder's file system, and one on another."""
    if request.param == "same":
        (tmp_path / "archive").mkdir()
        yield tmp_path / "archive"
        return
    if not os.access("/dev/shm", os.W_OK) or Path("/dev/shm").stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm is no second file system to write to")
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    shutil.rmtree(path)


def run(
    policy: str, sighting: Sighting, archive: Path | None = None, receipt: bytes | None = None
) -> Disposed:
    """A disposal that nobody stops."""
    return dispose(policy, sighting, archive, threading.Event(), receipt=receipt)


def test_a_deleted_group_is_gone_and_its_neighbours_are_not(drop: Path) -> None:
    """The raster goes with its sidecars, and nothing else."""
    sighting = make_group(drop)
    make_group(drop, "b")
    (drop / "a.txt").touch()

    assert run("delete", sighting) == Disposed("deleted")
    assert sorted(tree(drop)) == ["a.txt", "b.tfw", "b.tif", "b.tif.aux.xml"]
    assert run("delete", sighting) == Disposed("missing")


def test_an_archived_group_keeps_names_bytes_and_times(drop: Path, archive: Path) -> None:
    """On the same file system or another, below the same subfolder."""
    make_group(drop / "sub/deep")
    os.utime(drop / "sub/deep/a.tif", ns=(10**18, 10**18))
    before, sighting = tree(drop), seen(drop, "sub/deep/a.tif")

    assert run("archive", sighting, archive) == Disposed("archived", bytes(archive / "sub/deep/a.tif"))
    assert tree(archive) == before
    assert (archive / "sub/deep/a.tif").stat().st_mtime_ns == 10**18
    assert tree(drop) == {}
    assert not list((drop / "sub/deep").iterdir())


def test_a_taken_name_gets_a_number_for_the_whole_group(drop: Path, archive: Path) -> None:
    """Nothing in the archive is replaced, and a group keeps one stem."""
    for content in (b"1", b"22", b"333"):
        run("archive", make_group(drop, content=content), archive)
    (archive / "a-4.tfw").touch()

    assert run("archive", make_group(drop, content=b"4444"), archive).where == bytes(archive / "a-5.tif")

    assert (archive / "a.tif").read_bytes() == b"1"
    assert (archive / "a-2.tif").read_bytes() == b"22"
    assert {"a-5.tif", "a-5.tfw", "a-5.tif.aux.xml", "a-3.tfw"} <= set(listed(archive))


@pytest.mark.parametrize(
    "name", [b"x" * 251 + b".tif", b"\xff\n.tif", b"-a.tif", "ü".encode() * 125 + b".tif"]
)
def test_names_of_all_kinds_are_disposed_of(drop: Path, archive: Path, name: bytes) -> None:
    """The longest names find a number, too."""
    for content in (b"1", b"2"):
        (drop / os.fsdecode(name)).write_bytes(content)
        run("archive", seen(drop, name), archive)

    assert sorted(tree(archive).values()) == [b"1", b"2"]
    assert len(listed(archive)) == 2
    assert os.fsdecode(name) in listed(archive)


def overwrite(drop: Path) -> None:
    """The raster is written in place, to the same size."""
    (drop / "a.tif").write_bytes(b"x" * (drop / "a.tif").stat().st_size)


CHANGES: list[Callable[[Path], object]] = [
    overwrite,
    lambda drop: ((drop / "new").write_bytes(b"new"), (drop / "new").rename(drop / "a.tif")),
    lambda drop: (drop / "a.tfw").write_bytes(b"other"),
    lambda drop: (drop / "a.tfw").unlink(),
    lambda drop: (drop / "a.prj").touch(),
    lambda drop: (drop / "a.tif").chmod(0o600),
]


@pytest.mark.parametrize("policy", ["delete", "archive"])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_what_was_uploaded_is_left_alone(
    drop: Path, archive: Path, policy: str, change: Callable[[Path], object]
) -> None:
    """A group of which anything changed is a new version: not a byte of it is touched."""
    sighting = make_group(drop)
    change(drop)
    before = tree(drop)

    assert run(policy, sighting, archive) == Disposed("replaced")
    assert tree(drop) == before
    assert tree(archive) == {}


@pytest.mark.parametrize("policy", ["delete", "archive"])
def test_a_change_in_the_last_instant_is_put_back(
    drop: Path, archive: Path, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that slips in between the look and the renaming keeps what it wrote."""
    sighting, rename = make_group(drop), fs.rename_noreplace

    def late(name: bytes, source: int, new: bytes, target: int) -> None:
        rename(name, source, new, target)
        if new == b"a.tif":
            monkeypatch.setattr(fs, "rename_noreplace", rename)
            fd = os.open(new, os.O_WRONLY | os.O_APPEND, dir_fd=target)
            os.write(fd, b"late")
            os.close(fd)

    monkeypatch.setattr(fs, "rename_noreplace", late)

    assert run(policy, sighting, archive) == Disposed("replaced")
    assert tree(drop)["a.tif"].endswith(b"late")
    assert sorted(tree(drop)) == GROUP
    assert tree(archive) == {}


def test_a_new_file_and_a_changed_old_one_both_survive(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the name was taken while the old file was hidden, the old one comes back under a number."""
    sighting, rename = make_group(drop), fs.rename_noreplace

    def late(name: bytes, source: int, new: bytes, target: int) -> None:
        rename(name, source, new, target)
        if new == b"a.tif" and not (drop / "a.tif").exists():
            (drop / "a.tif").write_bytes(b"new")
            fd = os.open(new, os.O_WRONLY | os.O_TRUNC, dir_fd=target)
            os.write(fd, b"changed old")
            os.close(fd)

    monkeypatch.setattr(fs, "rename_noreplace", late)

    assert run("delete", sighting) == Disposed("replaced", b"a-2.tif")
    assert tree(drop)["a.tif"] == b"new"
    assert tree(drop)["a-2.tif"] == b"changed old"


def test_a_new_file_under_the_old_name_is_not_touched(drop: Path, archive: Path) -> None:
    """After a crash with the old one hidden, the old one goes on its way and the new one stays."""
    sighting = make_group(drop)
    assert crashed_at("dispose.hidden", 1, lambda: run("delete", sighting))
    (drop / "a.tif").write_bytes(b"new")

    assert run("delete", sighting) == Disposed("deleted")
    assert tree(drop) == {"a.tif": b"new"}


def test_a_raster_that_is_open_for_writing_is_left_alone(drop: Path) -> None:
    """What somebody is about to write would be lost with it."""
    sighting = make_group(drop)
    with (drop / "a.tif").open("r+b"), pytest.raises(SourceChanged, match="open for writing"):
        run("delete", sighting)

    assert sorted(tree(drop)) == GROUP
    assert run("delete", sighting) == Disposed("deleted")


def test_sidecars_of_two_rasters_go_with_the_last(drop: Path) -> None:
    """A world file that another raster of the stem needs stays until that one goes."""
    make_group(drop)
    (drop / "a.tiff").write_bytes(b"other")
    first, second = seen(drop), seen(drop, "a.tiff")

    assert run("delete", first) == Disposed("deleted")
    assert sorted(tree(drop)) == ["a.tfw", "a.tiff"]
    assert run("delete", second) == Disposed("deleted")
    assert tree(drop) == {}


def kills() -> list[tuple[str, int]]:
    """Every failpoint, and those that are passed once for each file of the group each time."""
    return [(name, nth) for name in FAILPOINTS for nth in ((1, 2, 3) if name == "dispose.unlinked" else (1,))]


@pytest.mark.parametrize("policy", ["delete", "archive"])
@pytest.mark.parametrize(("name", "nth"), kills())
def test_a_disposal_survives_a_kill_at_every_point(
    drop: Path, archive: Path, policy: str, name: str, nth: int
) -> None:
    """A repeat goes on from wherever it was, and the end is the same as without a kill."""
    sighting = make_group(drop)
    before = tree(drop)

    crashed_at(name, nth, lambda: run(policy, sighting, archive))
    after = {**tree(drop), **tree(archive)}
    if policy == "archive":
        assert set(before.values()) <= set(after.values()), "something is nowhere"
    done = run(policy, sighting, archive)

    assert done.outcome in ({"archived"} if policy == "archive" else {"deleted", "missing"})
    assert tree(drop) == {}
    assert list(drop.iterdir()) == []
    assert tree(archive) == (before if policy == "archive" else {})


@pytest.mark.parametrize("second", FAILPOINTS)
@pytest.mark.parametrize("first", ["dispose.hidden", "dispose.archived", "dispose.unlinked"])
def test_a_repeat_survives_kills_as_well(drop: Path, archive: Path, first: str, second: str) -> None:
    """Killed twice at different points, the third try ends it."""
    before, sighting = (make_group(drop), tree(drop))[1], seen(drop)

    crashed_at(first, 1, lambda: run("archive", sighting, archive))
    crashed_at(second, 1, lambda: run("archive", sighting, archive))

    assert run("archive", sighting, archive).outcome == "archived"
    assert tree(archive) == before
    assert tree(drop) == {}


def test_every_failpoint_is_passed(drop: Path, tmp_path: Path) -> None:
    """The list names what can be killed, and nothing that cannot."""
    other = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        for name in FAILPOINTS:
            shutil.rmtree(drop)
            sighting = make_group(drop)
            hit = crashed_at(name, 1, lambda s=sighting: run("archive", s, other, b"{}"))
            if name == "dispose.restoring":
                shutil.rmtree(drop)
                sighting = make_group(drop)
                crashed_at("dispose.hidden", 1, lambda s=sighting: run("delete", s))
                (hidden,) = drop.glob(".uploader-*/a.tif")
                hidden.write_bytes(b"changed")
                hit = crashed_at(name, 1, lambda s=sighting: run("delete", s))
            assert hit, name
    finally:
        shutil.rmtree(other)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_putting_back_survives_a_kill(drop: Path, nth: int) -> None:
    """The raster comes back last, so that it is never seen without its sidecars."""
    sighting = make_group(drop)
    crashed_at("dispose.gathered", 1, lambda: run("delete", sighting))
    (hidden,) = drop.glob(".uploader-*/a.tif")
    hidden.write_bytes(b"changed")

    assert crashed_at("dispose.restoring", nth, lambda: run("delete", sighting))
    assert not (drop / "a.tif").exists() or sorted(tree(drop)) == GROUP

    assert run("delete", sighting) == Disposed("replaced")
    assert sorted(tree(drop)) == GROUP
    assert tree(drop)["a.tif"] == b"changed"


def test_leftovers_are_named_and_can_be_put_back(drop: Path) -> None:
    """What an unknown disposal left behind is found by its real name, and returned."""
    make_group(drop / "sub")
    sighting = seen(drop, "sub/a.tif")
    before = tree(drop)
    crashed_at("dispose.gathered", 1, lambda: run("delete", sighting))

    (leftover,) = leftovers(str(drop), threading.Event())

    assert leftover.path == b"sub/a.tif"
    assert list(leftover.names) == [os.fsencode(n) for n in GROUP]
    assert put_back(str(drop), leftover) == b"sub/a.tif"
    assert tree(drop) == before
    assert list(leftovers(str(drop), threading.Event())) == []


def test_leftovers_without_their_raster_come_back_too(drop: Path) -> None:
    """Sidecars whose raster is gone are not lost either."""
    sighting = make_group(drop)
    crashed_at("dispose.unlinked", 1, lambda: run("delete", sighting))

    (leftover,) = leftovers(str(drop), threading.Event())

    assert leftover.path == b""
    assert put_back(str(drop), leftover) == b""
    assert sorted(tree(drop)) == ["a.tfw", "a.tif.aux.xml"]
    assert [p.name for p in drop.iterdir() if p.is_dir()] == []


def test_a_stopped_copy_leaves_the_archive_clean(drop: Path, archive: Path) -> None:
    """The flag is seen, and what was begun is removed; renaming is too quick to be stopped."""
    sighting, stop = make_group(drop), threading.Event()
    stop.set()
    if archive.stat().st_dev == drop.stat().st_dev:
        assert dispose("archive", sighting, archive, stop).outcome == "archived"
        return
    with pytest.raises(Interrupted):
        dispose("archive", sighting, archive, stop)
    assert tree(archive) == {}
    assert sorted(tree(drop)) == GROUP


def test_a_copy_that_differs_is_not_trusted(
    drop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An archive that does not keep what is written to it gets nothing, and the source stays."""
    sighting = make_group(drop)
    (tmp_path / "archive").mkdir()
    monkeypatch.setattr(archiving.fs, "mount_id", str)
    monkeypatch.setattr(archiving.file_content, "digest", lambda *_: "other")

    with pytest.raises(LocalError, match="does not keep"):
        run("archive", sighting, tmp_path / "archive")
    assert tree(tmp_path / "archive") == {}
    assert sorted(tree(drop)) == GROUP


def test_a_copy_that_disappears_costs_no_source(
    drop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A source is unlinked only when its copy lies under its name; a repeat copies again."""
    sighting = make_group(drop)
    (tmp_path / "archive").mkdir()
    monkeypatch.setattr(archiving.fs, "mount_id", str)
    crashed_at("dispose.archived", 1, lambda: run("archive", sighting, tmp_path / "archive"))
    for part in (tmp_path / "archive").glob("*.part"):
        part.unlink()
    for part in (tmp_path / "archive").glob(".*.part"):
        part.unlink()

    assert run("archive", sighting, tmp_path / "archive").outcome == "archived"
    assert sorted(tree(tmp_path / "archive")) == GROUP
    assert tree(drop) == {}


def test_without_renameat2_a_hard_link_does_it(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems that cannot rename without replacing are served as well."""
    monkeypatch.setattr(libc, "_renameat2", None)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/a.tif").write_bytes(b"taken")

    done = run("archive", make_group(drop), tmp_path / "archive")

    assert done.where.endswith(b"/a-2.tif")
    assert (tmp_path / "archive/a.tif").read_bytes() == b"taken"
    assert tree(drop) == {}


@pytest.mark.parametrize("policy", ["archive", "delete"])
def test_a_mount_without_hard_links_is_served(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """As exFAT and object stores by FUSE; what is taken there already stays."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(libc, "_renameat2", None)
    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/a.tif").write_bytes(b"taken")

    done = run(policy, make_group(drop), tmp_path / "archive")

    assert done.outcome == ("archived" if policy == "archive" else "deleted")
    assert (tmp_path / "archive/a.tif").read_bytes() == b"taken"
    assert tree(drop) == {}


@pytest.mark.parametrize("policy", ["archive", "delete"])
def test_a_mount_where_case_does_not_matter_is_served(
    drop: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """By FUSE each spelling of a sidecar may have an inode of its own; it is one sidecar all the same."""
    lstat = fs.lstat_regular

    def by_any_spelling(name: bytes, dir_fd: int) -> Fingerprint | None:
        spelled = {os.fsencode(n).lower(): os.fsencode(n) for n in os.listdir(dir_fd)}.get(name.lower(), name)
        found = lstat(spelled, dir_fd)
        return found if name == spelled or not found else replace(found, inode=zlib.crc32(name))

    make_group(drop)
    monkeypatch.setattr(fs, "lstat_regular", by_any_spelling)
    monkeypatch.setattr(os, "access", lambda name, _, dir_fd: by_any_spelling(name, dir_fd) is not None)
    sighting = look(watched(drop), b"a.tif")
    assert sighting is not None
    assert sorted(os.fsdecode(sidecar.name) for sidecar in sighting.sidecars) == [
        n for n in GROUP if n != "a.tif"
    ]

    done = run(policy, sighting, archive)

    assert done.outcome == ("archived" if policy == "archive" else "deleted")
    assert tree(drop) == {}


def test_a_mount_that_syncs_no_folder_and_keeps_its_own_rights_and_times_is_served(
    drop: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMB, FAT and object stores refuse what a copy could do without; the source goes all the same."""
    sync = os.fsync

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def files_only(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(fd)

    monkeypatch.setattr(os, "fsync", files_only)
    monkeypatch.setattr(os, "fchmod", refuse)
    monkeypatch.setattr(os, "utime", refuse)

    done = run("archive", make_group(drop), archive, receipt=b"{}")

    assert done.outcome == "archived"
    assert sorted(tree(archive)) == [*GROUP, "a.tif.receipt.json"]
    assert tree(drop) == {}


def test_a_file_system_that_syncs_no_folder_is_no_failure() -> None:
    """The kernel's own /proc is one."""
    fs.sync_directory("/proc")


def test_a_folder_whose_sync_fails_is_told(
    drop: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails is another thing than a file system that cannot."""

    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    sighting = make_group(drop)
    monkeypatch.setattr(os, "fsync", failing)

    with pytest.raises((LocalError, OSError)):
        run("archive", sighting, archive)


@pytest.mark.parametrize("point", ["dispose.archived", "dispose.arrived", "dispose.unlinked"])
def test_an_archive_that_rounds_times_gets_one_copy(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """What has arrived before a kill is known again although its time is no longer the source's to the nanosecond."""
    rounded = os.utime

    def utime(fd: int, *, ns: tuple[int, int]) -> None:
        rounded(fd, ns=(ns[0] // 2_000_000_000 * 2_000_000_000, ns[1] // 2_000_000_000 * 2_000_000_000))

    (tmp_path / "archive").mkdir()
    sighting = make_group(drop)
    monkeypatch.setattr(archiving.fs, "mount_id", str)  # another mount: it is copied
    monkeypatch.setattr(os, "utime", utime)

    assert crashed_at(point, 1, lambda: run("archive", sighting, tmp_path / "archive"))
    done = run("archive", sighting, tmp_path / "archive")

    assert (done.outcome, done.where.rpartition(b"/")[2]) == ("archived", b"a.tif")
    assert sorted(tree(tmp_path / "archive")) == GROUP
    assert tree(drop) == {}


def test_a_folder_that_is_not_there_is_no_missing_file(drop: Path) -> None:
    """An unmounted folder must not end a file's story."""
    sighting = make_group(drop / "sub")
    sighting = seen(drop, "sub/a.tif")
    shutil.rmtree(drop / "sub")
    assert run("delete", sighting) == Disposed("missing")
    shutil.rmtree(drop)
    with pytest.raises(SourceUnreadable, match="not there"):
        run("delete", sighting)


def test_an_archive_that_is_not_there_is_not_made(drop: Path, tmp_path: Path) -> None:
    """An archive that is not mounted must not be filled on the disk below it."""
    with pytest.raises(LocalError, match="cannot be opened"):
        run("archive", make_group(drop), tmp_path / "none")
    assert sorted(tree(drop)) == GROUP


def test_a_planted_hidden_folder_does_no_harm(drop: Path, tmp_path: Path) -> None:
    """Whoever may write to the drop folder cannot have another file deleted or lose one by it."""
    sighting = make_group(drop)
    crashed_at("dispose.made", 1, lambda: run("delete", sighting))
    (hidden,) = drop.glob(".uploader-*")
    (hidden / "mine.txt").write_text("mine")

    assert run("delete", sighting) == Disposed("deleted")
    assert tree(drop) == {"mine.txt": b"mine"}

    sighting = make_group(drop)
    hidden.symlink_to(tmp_path)
    with pytest.raises(OSError):  # noqa: PT011 - a link is refused, whatever the number
        run("delete", sighting)
    assert (drop / "a.tif").exists()


def test_keeping_does_nothing(drop: Path) -> None:
    """The policy that most folders have."""
    sighting = make_group(drop)

    assert run("keep", sighting) == Disposed("kept")
    assert sorted(tree(drop)) == GROUP


def test_rights_are_tried_and_told(drop: Path, archive: Path) -> None:
    """What will work is silent and leaves nothing behind; what will not says what to do."""
    assert rights(str(drop), "archive", archive) == []
    assert list(drop.iterdir()) == list(archive.iterdir()) == []
    assert "archive_dir" in rights(str(drop), "archive", None)[0]
    assert "cannot be changed" in rights(str(drop / "none"), "delete", None)[0]
    assert rights(str(drop / "none"), "keep", None) == []


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a tmpfs with options at a folder of that name."""
    made: list[Path] = []

    def mount(options: str) -> Path:
        path = tmp_path / f"mount{len(made)}"
        path.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", path], check=False, capture_output=True
        )
        if done.returncode:
            pytest.skip(f"cannot mount: {done.stderr.decode().strip()}")
        made.append(path)
        return path

    yield mount
    for path in made:
        subprocess.run(["umount", "-l", path], check=True)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a file system")


@pytest.mark.root
@needs_root
def test_a_full_archive_leaves_the_source_where_it_is(drop: Path, mounted: Callable[[str], Path]) -> None:
    """The source stays visible and untouched, so that a later try finds what was uploaded."""
    archive = mounted("size=1m")
    sighting = make_group(drop, content=os.urandom(2 << 20))

    with pytest.raises(NoSpace):
        run("archive", sighting, archive)
    assert tree(archive) == {}
    assert seen(drop) == sighting
    subprocess.run(["mount", "-o", "remount,size=8m", archive], check=True)
    assert run("archive", sighting, archive).outcome == "archived"


@pytest.mark.root
@needs_root
def test_a_read_only_folder_is_told_and_nothing_is_lost(mounted: Callable[[str], Path]) -> None:
    """`check` says it before the first upload, disposal says it each time."""
    drop = mounted("size=1m")
    sighting = make_group(drop)
    subprocess.run(["mount", "-o", "remount,ro", drop], check=True)

    assert "read-only" in rights(str(drop), "delete", None)[0]
    with pytest.raises(OSError, match="Read-only"):
        run("delete", sighting)
    assert sorted(tree(drop)) == GROUP


@pytest.mark.root
@needs_root
def test_two_mounts_of_one_file_system_are_copied_between(drop: Path, tmp_path: Path) -> None:
    """Containers mount both folders of one disk, and renaming between mounts is refused."""
    (tmp_path / "real").mkdir()
    (tmp_path / "archive").mkdir()
    done = subprocess.run(["mount", "--bind", tmp_path / "real", tmp_path / "archive"], check=False)
    if done.returncode:
        pytest.skip("cannot bind mount")
    try:
        assert run("archive", make_group(drop), tmp_path / "archive").outcome == "archived"
    finally:
        subprocess.run(["umount", "-l", tmp_path / "archive"], check=True)
    assert sorted(tree(tmp_path / "real")) == GROUP


@pytest.mark.root
@needs_root
def test_an_unmounted_folder_does_not_end_a_story(mounted: Callable[[str], Path]) -> None:
    """The empty folder below a mount is not the one that the file was in."""
    drop = mounted("size=1m")
    sighting = make_group(drop)
    subprocess.run(["umount", "-l", drop], check=True)
    try:
        with pytest.raises(SourceUnreadable, match="another file system"):
            run("delete", sighting)
    finally:
        subprocess.run(["mount", "-t", "tmpfs", "none", drop], check=True)


@pytest.mark.parametrize("policy", ["archive", "delete"])
@pytest.mark.parametrize("halved", [["a.tif"], GROUP])
def test_a_rename_by_hard_link_that_a_kill_halved_is_finished(
    drop: Path, tmp_path: Path, policy: str, halved: list[str]
) -> None:
    """A name that stayed beside the hidden one would be uploaded again as a new file."""
    sighting, before = make_group(drop), tree(drop)
    (tmp_path / "archive").mkdir()
    crashed_at("dispose.made", 1, lambda: run(policy, sighting, tmp_path / "archive"))
    (hidden,) = drop.glob(".uploader-*")
    for name in halved:
        (hidden / name).hardlink_to(drop / name)

    assert run(policy, sighting, tmp_path / "archive").outcome == f"{policy}d".replace("ee", "e")
    assert tree(drop) == {}
    assert tree(tmp_path / "archive") == (before if policy == "archive" else {})


def test_putting_back_by_hard_link_that_a_kill_halved_gives_no_second_file(drop: Path) -> None:
    """A hidden folder that nobody knows is put back under the names that are there already."""
    sighting, before = make_group(drop), tree(drop)
    crashed_at("dispose.gathered", 1, lambda: run("delete", sighting))
    (hidden,) = drop.glob(".uploader-*")
    (drop / "a.tif").hardlink_to(hidden / "a.tif")

    (leftover,) = leftovers(str(drop), threading.Event())
    assert put_back(str(drop), leftover) == b"a.tif"
    assert tree(drop) == before


@pytest.mark.parametrize("policy", ["archive", "delete"])
def test_a_mount_whose_hard_links_show_other_inodes_is_served(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """As sshfs: a source would be hidden by a link, not be known again, put back, and claimed anew for ever."""

    def link(name: bytes, new: bytes, *, src_dir_fd: int, dst_dir_fd: int, follow_symlinks: bool) -> None:
        source, target = (Path(f"/proc/self/fd/{fd}").readlink() for fd in (src_dir_fd, dst_dir_fd))
        if (target / os.fsdecode(new)).exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        shutil.copy2(source / os.fsdecode(name), target / os.fsdecode(new))

    monkeypatch.setattr(libc, "_renameat2", None)
    monkeypatch.setattr(os, "link", link)
    sighting, before = make_group(drop), tree(drop)
    (tmp_path / "archive").mkdir()

    done = run(policy, sighting, tmp_path / "archive")

    assert done.outcome == ("archived" if policy == "archive" else "deleted")
    assert tree(tmp_path / "archive") == (before if policy == "archive" else {})
    assert tree(drop) == {}


def test_a_new_raster_with_the_inode_number_of_a_hidden_one_stays(
    drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems make numbers up, and give one twice: what was never uploaded must not go."""
    sighting, real = make_group(drop), fs.lstat_regular
    crashed_at("dispose.gathered", 1, lambda: run("delete", sighting))
    (drop / "a.tif").write_bytes(b"another raster")

    def one_number(name: bytes, dir_fd: int) -> Fingerprint | None:
        found = real(name, dir_fd)
        return found and replace(found, inode=sighting.fingerprint.inode)

    monkeypatch.setattr(fs, "lstat_regular", one_number)
    run("delete", sighting)

    assert (drop / "a.tif").read_bytes() == b"another raster"


def test_a_file_that_is_replaced_in_the_instant_of_its_renaming_has_one_name(
    drop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two it would be put back as two files, and each be uploaded."""
    monkeypatch.setattr(libc, "_renameat2", None)
    make_group(drop)
    (tmp_path / "to").mkdir()
    (tmp_path / "new.tif").write_bytes(b"new")
    link = os.link

    def late(*names: bytes, **folders: int) -> None:
        (tmp_path / "new.tif").replace(drop / "a.tif")
        link(*names, **folders)

    monkeypatch.setattr(os, "link", late)
    with fs.directory(os.fsencode(drop)) as source, fs.directory(os.fsencode(tmp_path / "to")) as target:
        fs.rename_noreplace(b"a.tif", source, b"a.tif", target)

    assert "a.tif" not in listed(drop)
    assert (tmp_path / "to" / "a.tif").read_bytes() == b"new"
