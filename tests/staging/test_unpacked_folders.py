"""Tests of the private copies of what was unpacked: whole, each its file's own, and never another one's."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.groups import listed
from uploader.core.errors import StagedDamaged
from uploader.core.model import Fingerprint, Sidecar, Sighting
from uploader.staging import Staging

pytestmark = pytest.mark.unit

STOP = threading.Event()
ALIKE = {b"o.zip/a.tif": b"same", b"o.zip/b.tif": b"same"}


def seen(path: bytes, size: int, *sidecars: tuple[bytes, str, int]) -> Sighting:
    """A member as its archive tells it."""
    beside = tuple(Sidecar(name, suffix, Fingerprint(1, 2, s, 3, 4)) for name, suffix, s in sidecars)
    return Sighting("/d", path, Fingerprint(1, 2, size, 3, 4), beside)


def written(staging: Staging, members: dict[bytes, bytes]) -> list[Sighting]:
    """What a child writes of these, for the archive 1."""
    begun = staging.begin_unpacking(1)
    for number, data in enumerate(members.values()):
        (begun / str(number)).mkdir()
        (begun / str(number) / "source.tif").write_bytes(data)
    return [seen(path, len(data)) for path, data in members.items()]


def test_each_file_gets_its_own_copy_though_all_are_alike(tmp_path: Path) -> None:
    """Until then they lie in the archive's name; the hashes are those of a claim."""
    staging = Staging(tmp_path)
    copies = staging.unpacked(1, written(staging, ALIKE), STOP)
    assert [copy.size for copy in copies] == [4, 4]
    assert copies[0].content == copies[0].raster.sha256.hex() == copies[1].content

    for file_id, path in enumerate(ALIKE, 7):
        staging.adopt(1, file_id, path, copies[0].content)
        staging.adopt(1, file_id, path, copies[0].content)
        assert staging.source(file_id, path).read_bytes() == b"same"
    staging.discard(1)
    assert listed(tmp_path) == ["7.in", "8.in"]


def test_a_copy_of_another_content_is_not_taken(tmp_path: Path) -> None:
    """As when the archive has changed in between."""
    staging = Staging(tmp_path)
    staging.unpacked(1, written(staging, {b"o.zip/a.tif": b"new"}), STOP)
    staging.adopt(1, 7, b"o.zip/a.tif", "0" * 64)
    assert not staging.source(7, b"o.zip/a.tif").exists()


def test_a_copy_that_is_in_use_stays(tmp_path: Path) -> None:
    """The archive is unpacked again for another file, while this one is converted."""
    staging = Staging(tmp_path)
    (copy,) = staging.unpacked(1, written(staging, {b"o.zip/a.tif": b"x"}), STOP)
    staging.adopt(1, 7, b"o.zip/a.tif", copy.content)
    before = staging.source(7, b"o.zip/a.tif").stat().st_ino
    staging.unpacked(1, written(staging, {b"o.zip/a.tif": b"x"}), STOP)
    staging.adopt(1, 7, b"o.zip/a.tif", copy.content)
    assert staging.source(7, b"o.zip/a.tif").stat().st_ino == before


@pytest.mark.parametrize("harm", ["more", "less", "link", "size"])
def test_a_child_that_wrote_something_else_is_not_believed(tmp_path: Path, harm: str) -> None:
    """What lies beside a raster would be read as its sidecar."""
    staging = Staging(tmp_path)
    (sighting,) = written(staging, {b"o.zip/a.tif": b"x"})
    (source,) = tmp_path.glob("1.tmp/0/source.tif")
    match harm:
        case "more":
            (source.parent / "source.tif.ovr").write_bytes(b"x")
        case "less":
            sighting = seen(b"o.zip/a.tif", 1, (b"a.tfw", ".tfw", 1))
        case "link":
            source.unlink()
            source.symlink_to("/etc/hostname")
        case "size":
            source.write_bytes(b"xx")
    with pytest.raises(StagedDamaged):
        staging.unpacked(1, [sighting], STOP)


def test_what_a_kill_left_is_swept(tmp_path: Path) -> None:
    """Half of what was written, and what no commit knows; a known archive keeps what its files may need."""
    staging = Staging(tmp_path)
    staging.unpacked(1, written(staging, ALIKE), STOP)
    staging.begin_unpacking(2)
    assert Staging(tmp_path).sweep({1}) == 1
    assert listed(tmp_path) == ["1.out"]
