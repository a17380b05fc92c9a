"""Private copies of what was dropped."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import google_crc32c
import pytest

from tests.support import mounts
from tests.support.groups import as_nobody, crashed_at, listed, make_group, public_folder, seen, tree
from uploader.core.errors import NoSpace, SourceChanged, SourceUnreadable, StagedDamaged
from uploader.core.model import Sighting
from uploader.staging import Checksums, Interrupted, Staging
from uploader.system import file_content
from uploader.system.failpoints import within

pytestmark = pytest.mark.unit


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A drop folder."""
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    """An empty staging folder beside it."""
    return Staging(tmp_path / "staging")


def claim(staging: Staging, drop: Path, sighting: Sighting, file_id: int = 1) -> str:
    """The content hash of a claim."""
    return staging.claim(file_id, str(drop), sighting, threading.Event()).content


def test_a_claim_copies_the_group_under_plain_names(drop: Path, staging: Staging, tmp_path: Path) -> None:
    """The working folder has the raster, its sidecars renamed alike, and nothing else."""
    sighting = make_group(drop / "sub", "strange näme")
    (drop / "sub/other.tif").touch()

    claimed = staging.claim(7, str(drop / "sub"), sighting, threading.Event())

    assert listed(staging.working(7)) == ["source.tfw", "source.tif", "source.tif.aux.xml"]
    assert staging.source(7, sighting.path) == staging.working(7) / "source.tif"
    assert staging.source(7, sighting.path).read_bytes() == (drop / "sub/strange näme.tif").read_bytes()
    assert claimed.size == sighting.size
    raster = (drop / "sub/strange näme.tif").read_bytes()
    assert claimed.raster == Checksums(
        len(raster), google_crc32c.value(raster), hashlib.sha256(raster).digest()
    )
    assert claimed.copies[".tfw"] == "source.tfw"
    assert (tmp_path / "staging").stat().st_mode & 0o777 == 0o700
    assert (drop / "sub/strange näme.tif").exists()


def test_a_raster_alone_is_known_by_its_own_hash(drop: Path, staging: Staging) -> None:
    """So that anybody can compute it; sidecars change it, their names and bytes alike."""
    (drop / "a.tif").write_bytes(b"raster")
    (drop / "b.tif").write_bytes(b"raster")
    alone = claim(staging, drop, seen(drop))
    assert alone == hashlib.sha256(b"raster").hexdigest()
    assert claim(staging, drop, seen(drop, "b.tif"), 2) == alone

    (drop / "a.tfw").write_bytes(b"1")
    with_world = claim(staging, drop, seen(drop))
    (drop / "a.tfw").write_bytes(b"2")
    other_world = claim(staging, drop, seen(drop))
    (drop / "a.tfw").rename(drop / "a.prj")
    as_projection = claim(staging, drop, seen(drop))

    assert len({alone, with_world, other_world, as_projection}) == 4


@pytest.mark.parametrize("name", [b"\xff.tif", b"x" * 251 + b".tif", b"-r f\n.TIF", b"none", b"a.t\xfff"])
def test_names_of_all_kinds_are_claimed(drop: Path, staging: Staging, name: bytes) -> None:
    """What a file was called does not reach the converter."""
    os.close(os.open(os.fsencode(drop) + b"/" + name, os.O_CREAT))
    os.close(os.open(os.fsencode(drop) + b"/" + name[:200] + b".aux.xml", os.O_CREAT))

    claim(staging, drop, seen(drop, name, include=("*",)))

    assert staging.source(1, name).is_file()
    assert all(n.isascii() and len(n) < 40 for n in listed(staging.working(1)))


def grow(drop: Path) -> None:
    """The raster is written to."""
    with (drop / "a.tif").open("ab") as file:
        file.write(b"more")


def swap(drop: Path) -> None:
    """Another file takes the name, with the same size and times."""
    before = (drop / "a.tif").stat()
    (drop / "new").write_bytes((drop / "a.tif").read_bytes())
    os.utime(drop / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (drop / "new").rename(drop / "a.tif")


def link(drop: Path) -> None:
    """A symbolic link takes the name."""
    (drop / "a.tif").rename(drop / "moved.tif")
    (drop / "a.tif").symlink_to("moved.tif")


CHANGES: list[Callable[[Path], object]] = [
    grow,
    swap,
    link,
    lambda drop: (drop / "a.tif").unlink(),
    lambda drop: ((drop / "a.tif").unlink(), os.mkfifo(drop / "a.tif")),
    lambda drop: (drop / "a.tfw").write_bytes(b"other"),
    lambda drop: (drop / "a.tfw").unlink(),
    lambda drop: drop.rename(drop.with_name("gone")),
]


def _interfering(change: Callable[[], object]) -> Callable[..., object]:
    """`file_content.take`, after whose first call the source changes."""
    take, pending = file_content.take, [change]

    def interfering(*args: object, **options: object) -> object:
        copied = take(*args, **options)  # type: ignore[arg-type]
        while pending:
            pending.pop()()
        return copied

    return interfering


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("when", ["before", "during"])
def test_what_is_not_what_was_seen_is_not_claimed(
    drop: Path, staging: Staging, change: Callable[[Path], object], when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever changed, before the copy or in its midst: nothing is left of the claim."""
    sighting = make_group(drop)
    if when == "before":
        change(drop)
    else:
        monkeypatch.setattr(file_content, "take", _interfering(lambda: change(drop)))

    with pytest.raises(SourceChanged):
        claim(staging, drop, sighting)

    assert tree(drop.parent / "staging") == {}
    assert not staging.source(1, b"a.tif").exists()


def test_an_earlier_claim_is_replaced(drop: Path, staging: Staging) -> None:
    """A repeat after a crash begins from nothing."""
    claim(staging, drop, make_group(drop))
    (drop / "a.tfw").unlink()
    grow(drop)

    claim(staging, drop, seen(drop))

    assert staging.source(1, b"a.tif").read_bytes() == (drop / "a.tif").read_bytes()
    assert listed(staging.working(1)) == ["source.tif", "source.tif.aux.xml"]


def test_a_stopped_claim_leaves_nothing(drop: Path, staging: Staging, tmp_path: Path) -> None:
    """The flag is seen between two chunks."""
    stop = threading.Event()
    stop.set()
    sighting = make_group(drop)

    with pytest.raises(Interrupted):
        staging.claim(1, str(drop), sighting, stop)
    assert tree(tmp_path / "staging") == {}


def test_blank_stretches_stay_holes(drop: Path, staging: Staging) -> None:
    """A blank gigabyte is copied bit for bit, and takes no room."""
    with (drop / "a.tif").open("wb") as file:
        file.write(b"II*\0")
        file.truncate(1 << 28)
        file.seek((1 << 28) + 5)
        file.write(b"end")

    content = claim(staging, drop, seen(drop))

    copy = staging.source(1, b"a.tif")
    assert copy.stat().st_size == (1 << 28) + 8
    assert copy.stat().st_blocks * 512 < 1 << 26
    with copy.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == content


def test_room_is_kept_free(drop: Path, tmp_path: Path) -> None:
    """What does not fit above the limit is not begun."""
    staging = Staging(tmp_path / "staging", min_free_bytes=1 << 62)

    with pytest.raises(NoSpace, match="min_free_bytes"):
        claim(staging, drop, make_group(drop))


@pytest.mark.parametrize("name", within("claim"))
def test_a_claim_survives_a_kill_at_every_point(
    drop: Path, staging: Staging, tmp_path: Path, name: str
) -> None:
    """A claim is whole or absent, and a repeat makes it whole."""
    sighting = make_group(drop)

    assert crashed_at(name, 1, lambda: claim(staging, drop, sighting))

    later = Staging(tmp_path / "staging")
    if later.source(1, b"a.tif").exists():
        assert len(listed(later.working(1))) == 3
    assert claim(later, drop, sighting) == claim(later, drop, sighting, 2)
    assert len(listed(later.working(1))) == 3


def test_a_killed_discard_leaves_no_claim(drop: Path, staging: Staging, tmp_path: Path) -> None:
    """Half of a claim is none."""
    claim(staging, drop, make_group(drop))

    assert crashed_at("discard.half", 1, lambda: staging.discard(1))

    assert not staging.working(1).exists()
    staging.discard(1)
    staging.discard(1)
    assert list((tmp_path / "staging").iterdir()) == []


def test_the_sweep_spares_the_known(drop: Path, staging: Staging, tmp_path: Path) -> None:
    """Copies that no row speaks of go, others and strangers' files stay."""
    sighting = make_group(drop)
    for file_id in (1, 2, 3):
        claim(staging, drop, sighting, file_id)
    (tmp_path / "staging/readme").touch()
    (tmp_path / "staging/.x.converting").mkdir()
    staging.result(2).touch()
    staging.result(3).touch()

    assert staging.sweep({2}) == 2
    assert sorted(p.name for p in (tmp_path / "staging").iterdir()) == ["2.in", "2.tif", "readme"]


def test_copies_of_the_version_before_are_taken_over(tmp_path: Path) -> None:
    """What was whole lies where it is looked for now; what was not is gone, and nothing else is."""
    whole = ("1/in/source.tif", "1/in/source.tfw", "1/out.tif", "aside/4/in/source.tif")
    for path in (*whole, "2/in/source.tif", "3/in.tmp/source.tif"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    (tmp_path / "1/source").symlink_to("in/source.tif")
    for path in ("1.in/source.tif", "1.in/source.prj", "1.tif"):  # made by this version before that one
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "readme").touch()

    staging = Staging(tmp_path)
    assert staging.source(1, b"a/b.tif").read_text() == "1/in/source.tif"
    assert staging.result(1).read_text() == "1/out.tif"
    assert listed(staging.working(1)) == ["source.tfw", "source.tif"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.in", "1.tif", "aside", "readme"]


def test_measuring_agrees_with_the_libraries_and_sizes_are_compared(staging: Staging) -> None:
    """Size and both hashes are those of the bytes; what is gone, a link or of another size is not opened."""
    data = os.urandom(3_000_000)
    path = staging.result(5)
    path.write_bytes(data)
    stop = threading.Event()

    measured = staging.measure(path, stop)

    assert measured.size == len(data)
    assert measured.sha256 == hashlib.sha256(data).digest()
    assert measured.crc32c == google_crc32c.value(data)
    with staging.opened(path, measured.size) as copy:
        path.rename(path.with_name("other"))
        assert os.pread(copy.fd, len(data), 0) == data, "what was opened is what is sent"
    path.symlink_to("other")
    with pytest.raises(StagedDamaged):
        staging.opened(path, measured.size)
    for damaged in (data[:-1], data + b"x", None):
        path.unlink()
        if damaged is not None:
            path.write_bytes(damaged)
        before = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(StagedDamaged):
            staging.opened(path, measured.size)
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        path.touch()


@pytest.mark.parametrize("code", [5, 116])
def test_a_source_that_cannot_be_read_says_why(
    drop: Path, staging: Staging, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A broken disk or a stale handle under the drop folder is not staging's lack of room, and is told."""
    sighting = make_group(drop)

    def broken(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(SourceUnreadable, match=r"cannot be read"):
        claim(staging, drop, sighting)


@pytest.mark.parametrize("code", [28, 122, 30, 5])
def test_staging_that_cannot_be_written_is_no_fault_of_the_file(
    drop: Path, staging: Staging, monkeypatch: pytest.MonkeyPatch, code: int, tmp_path: Path
) -> None:
    """Full, over quota, read-only or broken: it is NoSpace, and nothing stays."""
    sighting = make_group(drop)

    def full(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NoSpace):
        claim(staging, drop, sighting)
    assert tree(tmp_path / "staging") == {}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    path = tmp_path / "small"
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", path], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
def test_a_full_disk_holds_and_frees(drop: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real full disk gives NoSpace, the partial copy is removed, and the next smaller file goes through."""
    staging = Staging(small / "staging")
    (drop / "a.tif").write_bytes(os.urandom(3 << 20))
    monkeypatch.setattr(staging, "free", lambda: 1 << 40)
    with pytest.raises(NoSpace):
        claim(staging, drop, seen(drop))
    assert tree(small) == {}

    (drop / "b.tif").write_bytes(os.urandom(1 << 20))
    claim(staging, drop, seen(drop, "b.tif"), 2)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
@pytest.mark.root
@pytest.mark.skipif(bool(mounts.missing()), reason=mounts.missing() or "-")
def test_a_disk_that_turned_read_only_has_no_room(tmp_path: Path) -> None:
    """Whatever it says is free; it is told in words, and over with the disk's mending."""
    with mounts.tmpfs(tmp_path / "small", size="4m"):
        staging = Staging(tmp_path / "small", min_free_bytes=0)
        assert staging.free() > 0
        mounts.remount(tmp_path / "small", "ro")
        with pytest.raises(OSError, match="Read-only"):
            staging.free()
        mounts.remount(tmp_path / "small", "rw")
        assert staging.free() > 0


def test_a_source_without_rights_is_unreadable() -> None:
    """Another user's private file is named with the reason."""
    with public_folder() as folder:
        (folder / "a.tif").write_bytes(b"x")
        (folder / "a.tif").chmod(0o600)

        def work() -> None:
            with pytest.raises(SourceUnreadable, match="permission denied for user id 65534"):
                claim(Staging(folder / "staging"), folder, seen(folder))

        assert as_nobody(work)


TILE = "IMG_X_R1C2.TIF"


def test_a_raster_of_a_product_keeps_its_name_beside_its_sidecars(drop: Path, staging: Staging) -> None:
    """GDAL's readers go by names: what lies there is found, and no other tile's."""
    for name in (TILE, "IMG_X_R1C1.TIF", "DIM_X.XML", "RPC_X.XML", "RPC_X_R1C1.XML", "IMG_X_R1C2.tfw"):
        (drop / name).write_text(name)

    claim(staging, drop, seen(drop, TILE))

    assert listed(staging.working(1)) == ["DIM_X.XML", "IMG_X_R1C2.TIF", "IMG_X_R1C2.tfw", "RPC_X.XML"]
    assert staging.source(1, TILE.encode()).name == TILE
    assert staging.content(1, seen(drop, TILE), threading.Event()) == claim(
        staging, drop, seen(drop, TILE), 2
    )


def test_only_what_bears_place_is_content(drop: Path, staging: Staging) -> None:
    """Metadata in words that comes late is the same content; coefficients are not, nor the index that moves them."""
    (drop / TILE).write_bytes(b"raster")
    contents = [claim(staging, drop, seen(drop, TILE))]
    for name in ("IMG_X_R1C2_metadata.xml", "IMG_X_R1C2.IMD", "DIM_X.XML", "RPC_X.XML"):
        (drop / name).write_text(name)
        contents.append(claim(staging, drop, seen(drop, TILE)))
    (drop / "DIM_X.XML").write_text("another index")
    contents.append(claim(staging, drop, seen(drop, TILE)))

    assert contents[0] == hashlib.sha256(b"raster").hexdigest()
    assert len(set(contents[:4])) == 1
    assert len(set(contents[3:])) == 3


@pytest.mark.parametrize(
    "product",
    [b"$(id)", b"-rf *", b"..", b"\xff\n\t", b"%s{product}", "ü".encode(), b"a b", b"\x1b[2J", b"x" * 180],
)
def test_hostile_names_of_products_do_no_harm(drop: Path, staging: Staging, product: bytes) -> None:
    """Copies have plain names; each sidecar still lies beside its raster as the raster is called."""
    names = [b"IMG_%s_R1C2.TIF" % product, b"DIM_%s.XML" % product, b"RPC_%s.XML" % product]
    for name in names:
        (drop / os.fsdecode(name)).write_bytes(name)

    claim(staging, drop, seen(drop, names[0]))

    copies = listed(staging.working(1))
    assert len(copies) == 3
    assert all(c.isascii() and c.isprintable() and not set(c) & set(" $(){}*%/\\'\"") for c in copies)
    middle = staging.source(1, names[0]).name.removeprefix("IMG_").removesuffix("_R1C2.TIF")
    assert {f"DIM_{middle}.XML", f"RPC_{middle}.XML"} <= set(copies)
