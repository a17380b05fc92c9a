"""What a scan and a look see of a drop folder."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.configured import watched
from tests.support.groups import as_nobody, make_group, public_folder, seen
from uploader.core.model import Sighting
from uploader.core.settle_rules import state_of
from uploader.folders import LookProblem, Oddity, OddityKind, look, look_all, scan, scanner
from uploader.folders.scanner import rasters_of

pytestmark = pytest.mark.unit


def paths(folder: Path, **options: object) -> list[bytes]:
    """The paths of a scan, which must not report trouble."""
    found = list(scan(watched(folder, **options), threading.Event()))
    assert not [entry for entry in found if isinstance(entry, LookProblem)]
    return sorted(entry.path for entry in found if isinstance(entry, Sighting))


def test_rasters_are_found_with_their_groups(tmp_path: Path) -> None:
    """Sidecars come with their raster, strangers do not."""
    make_group(tmp_path / "sub")
    (tmp_path / "sub/ab.tfw").touch()
    (tmp_path / "sub/a.txt").touch()

    (found,) = scan(watched(tmp_path), threading.Event())

    assert isinstance(found, Sighting)
    assert found.path == b"sub/a.tif"
    assert [(s.name, s.suffix) for s in found.sidecars] == [
        (b"a.tfw", ".tfw"),
        (b"a.tif.aux.xml", ".tif.aux.xml"),
    ]
    assert found.size == sum(
        p.stat().st_size for p in (tmp_path / "sub").glob("a.t[if]*") if p.suffix != ".txt"
    )


def test_a_look_and_a_scan_agree(tmp_path: Path) -> None:
    """However a group is looked at, an untouched one is the same."""
    make_group(tmp_path)
    for name in ("A.TIF", "A.TFW", "A.TIF.OVR", "A_rpc.txt", "c.d.tif", "c.d.PRJ", "a.Tfw"):
        (tmp_path / name).write_text(name)
    spec, stop = watched(tmp_path), threading.Event()

    for found in scan(spec, stop):
        assert isinstance(found, Sighting)
        single = look(spec, found.path)
        many = dict(look_all(spec, [found.path] * 40, stop))[found.path]
        assert single == many == found
        assert state_of(found) == state_of(single)


def test_special_files_links_and_hidden_names_are_left_alone(tmp_path: Path) -> None:
    """Nothing that is no plain file is taken, and none of it blocks."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.tif").touch()
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "good.tif").touch()
    os.mkfifo(drop / "fifo.tif")
    (drop / "link.tif").symlink_to(outside / "x.tif")
    (drop / "dangling.tif").symlink_to("nowhere")
    (drop / "linked").symlink_to(outside)
    (drop / "folder.tif").mkdir()
    (drop / ".hidden").mkdir()
    (drop / ".hidden/a.tif").touch()
    (drop / "a.tif.part").touch()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(drop / "socket.tif"))

        assert paths(drop) == [b"good.tif"]
        odd = [entry for entry in scan(watched(drop), threading.Event()) if isinstance(entry, Oddity)]
        assert sorted((entry.path, entry.kind) for entry in odd) == [
            (b"dangling.tif", OddityKind.LINK),
            (b"fifo.tif", OddityKind.SPECIAL),
            (b"link.tif", OddityKind.LINK),
            (b"socket.tif", OddityKind.SPECIAL),
        ]
        spec = watched(drop)
        for name in (
            b"fifo.tif",
            b"link.tif",
            b"linked/x.tif",
            b"folder.tif",
            b"socket.tif",
            b".hidden/a.tif",
        ):
            assert look(spec, name) is None, name


def test_a_raster_that_no_rule_fits_is_left_and_told(tmp_path: Path) -> None:
    """One that a rule leaves out is meant to be left, and what is no raster by its name nobody misses."""
    for name in ("S_a.tif", "S_x.tif", "other.tif", "other.jp2", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    rules = [
        {"pattern": r"(?P<scene>S)_(?P<asset>a)\.tif"},
        {"pattern": r"S_x\.tif", "skip": True},
    ]
    found = list(scan(watched(tmp_path, scenes=[{"rules": rules}]), threading.Event()))

    assert [entry.path for entry in found if isinstance(entry, Sighting)] == [b"S_a.tif"]
    told = {entry.path for entry in found if getattr(entry, "kind", "") is OddityKind.NO_RULE}
    assert told == {b"other.tif", b"other.jp2"}


def test_archives_are_told_unless_a_pattern_names_them(tmp_path: Path) -> None:
    """A person may wait for the rasters in them; folders and temporary files are none."""
    drop = tmp_path / "drop"
    drop.mkdir()
    for name in ("order.zip", "old.tar", ".sync.zip", "half.zip.part"):
        (drop / name).touch()
    (drop / "unpacked.zip").mkdir()

    def told(**keys: Any) -> list[bytes]:
        found = scan(watched(drop, **keys), threading.Event())
        return [entry.path for entry in found if getattr(entry, "kind", "") is OddityKind.ARCHIVE]

    assert sorted(told()) == [b"old.tar", b"order.zip"]
    assert told(exclude=("old.*",), passthrough=("*.zip",)) == []


def test_an_archive_that_a_pattern_names_is_seen_alone(tmp_path: Path) -> None:
    """What lies beside it is no sidecar of it; scenes do not hide it, and passing through goes before."""
    for name in ("order.zip", "order.prj", "order.zip.aux.xml", "more.TGZ", "old.7z"):
        (tmp_path / name).touch()
    keys: dict[str, Any] = {"include": ("*.zip", "*.tgz"), "scenes": [{"recipe": "landsat-c2"}]}

    assert paths(tmp_path, **keys) == [b"more.TGZ", b"order.zip"]
    found = look(watched(tmp_path, **keys), b"order.zip")
    assert found is not None
    assert found.sidecars == ()
    assert not watched(tmp_path, passthrough=("*.zip",), include=("*.zip",)).opens(b"order.zip")
    assert not watched(tmp_path, include=("*.zip",), exclude=("order*",)).wants(b"order.zip")


def test_linked_sidecars_are_no_sidecars(tmp_path: Path) -> None:
    """A link beside a raster leads nowhere."""
    (tmp_path / "a.tif").touch()
    (tmp_path / "a.tfw").symlink_to("/etc/passwd")

    assert seen(tmp_path).sidecars == ()


HOSTILE = [
    b"\xff\xfe.tif",
    b"new\nline.tif",
    b"-rf.tif",
    b"zip+http:x.tif",
    b"a!b%20?#&.tif",
    "e\u0301.tif".encode(),
    "é.tif".encode(),
    b"A.tif",
    b"a.tif",
    b"x" * 251 + b".tif",
    b" .tif",
    b"'\".tif",
]


def test_names_of_all_kinds_are_found_apart(tmp_path: Path) -> None:
    """Names are bytes: twins of case and form, the longest and the ugliest are all files of their own."""
    for name in HOSTILE:
        os.close(os.open(os.fsencode(tmp_path) + b"/" + name, os.O_CREAT))
    spec = watched(tmp_path)

    assert paths(tmp_path) == sorted(HOSTILE)
    assert all(look(spec, name) for name in HOSTILE)


def test_subfolders_count_only_when_they_should(tmp_path: Path) -> None:
    """Not recursive means this folder; what lies below an ignored folder is not there."""
    for below in ("", "sub", "archive", "archive2"):
        (tmp_path / below).mkdir(exist_ok=True)
        (tmp_path / below / "a.tif").touch()

    assert paths(tmp_path, recursive=False) == [b"a.tif"]
    assert paths(tmp_path, archive_dir=str(tmp_path / "archive")) == [
        b"a.tif",
        b"archive2/a.tif",
        b"sub/a.tif",
    ]
    assert look(watched(tmp_path, recursive=False), b"sub/a.tif") is None


def test_a_deep_tree_beyond_the_longest_path_is_scanned(tmp_path: Path) -> None:
    """Folders are entered one by one, so their path may be longer than the system takes at once."""
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=fd)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("deep.tif", os.O_CREAT, dir_fd=fd))
    os.close(fd)

    (found,) = paths(tmp_path)

    assert found.endswith(b"/deep.tif")
    assert look(watched(tmp_path), found) is not None


def test_a_file_that_could_be_both_is_the_sidecar_of_its_raster(tmp_path: Path) -> None:
    """With wide patterns a sidecar is no raster of its own, but an orphan is."""
    for name in ("a.tif", "a.ovr", "b.ovr", "c.tif.msk"):
        (tmp_path / name).touch()
    spec = watched(tmp_path, include=("*",))

    assert paths(tmp_path, include=("*",)) == [b"a.tif", b"b.ovr", b"c.tif.msk"]
    assert look(spec, b"a.ovr") is None
    assert look(spec, b"b.ovr") is not None


@pytest.mark.parametrize(
    ("template", "name"), [("{stem}.done", "a.done"), ("{name}.ok", "a.tif.ok"), ("READY", "READY")]
)
def test_ready_markers_are_seen_by_scan_and_look(tmp_path: Path, template: str, name: str) -> None:
    """The marker may carry the stem, the name, or speak for the whole folder."""
    (tmp_path / "a.tif").touch()
    spec = watched(tmp_path, ready_marker=template)
    assert [s.marked for s in scan(spec, threading.Event()) if isinstance(s, Sighting)] == [False]

    (tmp_path / name).touch()

    assert [s.marked for s in scan(spec, threading.Event()) if isinstance(s, Sighting)] == [True]
    assert seen(tmp_path, "a.tif", ready_marker=template).marked


def test_a_missing_folder_is_trouble_and_not_an_empty_one(tmp_path: Path) -> None:
    """What cannot be looked at is told apart from what is not there."""
    spec = watched(tmp_path / "none")

    (found,) = scan(spec, threading.Event())

    assert isinstance(found, LookProblem)
    assert found.path == b""
    with pytest.raises(FileNotFoundError):
        look(spec, b"a.tif")
    (answer,) = look_all(spec, [b"a.tif"], threading.Event())
    assert isinstance(answer[1], LookProblem)


def test_a_file_that_is_gone_is_seen_as_gone(tmp_path: Path) -> None:
    """Neither the file nor its folder need be there."""
    assert look(watched(tmp_path), b"a.tif") is None
    assert look(watched(tmp_path), b"sub/a.tif") is None


def test_a_scan_stops_when_told(tmp_path: Path) -> None:
    """It ends at the next entry."""
    for number in range(10):
        (tmp_path / f"{number}.tif").touch()
    stop = threading.Event()
    found = scan(watched(tmp_path), stop)
    next(found)
    stop.set()

    assert list(found) == []


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_folder_that_may_not_be_read_does_not_end_the_scan() -> None:
    """Its neighbours are seen, and it is named with the reason."""
    with public_folder() as drop:
        (drop / "closed").mkdir(mode=0o700)
        (drop / "open.tif").touch()

        def work() -> None:
            found = list(scan(watched(drop), threading.Event()))
            (trouble,) = (f for f in found if isinstance(f, LookProblem))
            assert len(found) == 2
            assert (trouble.path, "permission denied" in trouble.reason) == (b"closed", True)

        assert as_nobody(work)


@pytest.mark.parametrize(
    "control",
    ["a.tif.aria2", ".a.tif.part", "a.tif.part.met", "a.tif.st", "a.tfw.aria2", ".syncthing.a.tif.tmp"],
)
def test_a_control_file_is_seen_with_its_raster(tmp_path: Path, control: str) -> None:
    """That of the raster or of a sidecar, by a scan, by a look, and by looks at many; it is no raster itself."""
    make_group(tmp_path)
    (tmp_path / control).touch()
    spec, stop = watched(tmp_path, include=("*",)), threading.Event()

    (found,) = (s for s in scan(spec, stop) if isinstance(s, Sighting))

    assert (found.path, found.control) == (b"a.tif", control.encode())
    assert look(spec, b"a.tif") == dict(look_all(spec, [b"a.tif"] * 40, stop))[b"a.tif"] == found
    assert b"a.tif" in rasters_of(spec, b"", {control.encode()})

    (tmp_path / control).unlink()
    assert seen(tmp_path).control == b""


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs below a folder."""
    (tmp_path / "sub").mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "none", tmp_path / "sub"], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.decode().strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path / "sub"], check=True)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")
def test_file_systems_mounted_below_are_scanned(mounted: Path) -> None:
    """A disk that is mounted into the drop folder belongs to it."""
    (mounted / "sub/a.tif").touch()

    assert paths(mounted) == [b"sub/a.tif"]


def test_neighbours_by_name_come_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder with more files than are sorted at once each part is in order, and none is lost or told twice."""
    monkeypatch.setattr(scanner, "SORTED", 40)
    for number in range(100):
        (tmp_path / f"{number:03}.tif").touch()
    found = [
        entry.path for entry in scan(watched(tmp_path), threading.Event()) if isinstance(entry, Sighting)
    ]

    assert sorted(found) == paths(tmp_path)
    assert len(found) == 100
    assert all(part == sorted(part) for part in (found[:40], found[40:80], found[80:]))


def test_thousands_of_files_are_scanned_in_seconds(tmp_path: Path) -> None:
    """No file costs more because there are many."""
    for number in range(8_000):
        (tmp_path / f"{number}.tif").touch()
    (tmp_path / "7.tfw").touch()

    found = {s.path: s for s in scan(watched(tmp_path), threading.Event()) if isinstance(s, Sighting)}

    assert len(found) == 8_000
    assert [s.name for s in found[b"7.tif"].sidecars] == [b"7.tfw"]
