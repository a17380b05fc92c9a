"""Names in drop folders."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uploader.core import naming

pytestmark = pytest.mark.unit

TEMPORARY = (
    b".hidden.tif",
    b".a.tif.Xy12Zz",
    b".~tmp~",
    b".rsync-partial",
    b"a.tif.part",
    b"a.tif.PARTIAL",
    b"a.tif.filepart",
    b"a.tif.crdownload",
    b"a.download",
    b"a.tmp",
    b"a.temp",
    b".a.swp",
    b"a.tif~",
    b"~$a.tif",
    b".~lock.a.tif#",
    b"a.!sync",
    b"a.lock",
    b"._a.tif",
    b".DS_Store",
    b"Thumbs.db",
    b"desktop.ini",
    b"$RECYCLE.BIN",
    b".nfs000001",
    b".fuse_hidden0001",
    b".syncthing.a.tif.tmp",
    b".stfolder",
    b"lost+found",
    b"RECYCLER",
    b"#recycle",
    b"#snapshot",
    b"@eaDir",
    b"@Recycle",
    b"~snapshot",
    b"@GMT-2024.01.01-00.00.00",
    b"Recycled",
    b"$Extend",
    b"@tmp",
    b"Temporary Items",
    b"a.tif:Zone.Identifier",
    b"@Recently-Snapshot",
    b"Network Trash Folder",
)

TAKEN = (b"a.tif", b"A.TIFF", b"-a.tif", b"a b.tif", b"\xff.tif", b"part.tif", b"a\n.tif", b"tmp", b"a!b.tif")


@pytest.mark.parametrize("name", TEMPORARY)
def test_names_of_transfers_and_housekeeping_are_ignored(name: bytes) -> None:
    """A file that somebody else's program owns for now is never taken."""
    assert naming.ignored(name)


@pytest.mark.parametrize("name", TAKEN)
def test_ordinary_and_odd_names_are_not_ignored(name: bytes) -> None:
    """A strange name is no reason to leave a raster lying."""
    assert not naming.ignored(name)


@pytest.mark.parametrize(
    ("path", "include", "exclude", "expected"),
    [
        (b"a.tif", ("*.tif",), (), True),
        (b"A.TIF", ("*.tif",), (), True),
        (b"sub/a.tif", ("*.tif",), (), True),
        (b"sub/a.tif", ("other/*.tif",), (), False),
        (b"sub/a.tif", ("sub/*.tif",), (), True),
        (b"a.tif", ("*.tif",), ("a.*",), False),
        (b"a.tif", (), (), False),
        (b"a\nb.tif", ("*.tif",), (), True),
        (b"\xff\xfe.tif", ("*.tif",), (), True),
        ("ü.tif".encode(), ("ü*",), (), True),
        (b"a.tiff", ("*.tif",), (), False),
        (b"b1.tif", ("[ab]?.tif",), (), True),
    ],
)
def test_patterns_match_names_of_any_bytes(
    path: bytes, include: tuple[str, ...], exclude: tuple[str, ...], expected: bool
) -> None:
    """Patterns are the shell's, case does not matter, and bytes need not be text."""
    assert naming.matches(path, include, exclude) is expected


@pytest.mark.parametrize(
    ("raster", "candidate", "suffix"),
    [
        (b"a.tif", b"a.tfw", ".tfw"),
        (b"a.tif", b"a.TFW", ".TFW"),
        (b"a.tif", b"a.wld", ".wld"),
        (b"a.tif", b"a.prj", ".prj"),
        (b"a.tif", b"a.tif.aux.xml", ".tif.aux.xml"),
        (b"A.TIF", b"A.TIF.aux.xml", ".TIF.aux.xml"),
        (b"a.tif", b"a.tif.ovr", ".tif.ovr"),
        (b"a.tif", b"a.tif.msk", ".tif.msk"),
        (b"a.tif", b"a.RPB", ".RPB"),
        (b"a.tif", b"a.IMD", ".IMD"),
        (b"a.tif", b"a_rpc.txt", "_rpc.txt"),
        (b"a.tif", b"a_RPC.TXT", "_RPC.TXT"),
        (b"a.jp2", b"a.j2w", ".j2w"),
        (b"a.b.tif", b"a.b.tfw", ".tfw"),
        (b"\xff.tif", b"\xff.tfw", ".tfw"),
        (b"a.dat", b"a.hdr", ".hdr"),
        (b"a.dat", b"a.dat.hdr", ".dat.hdr"),
        (b"a.img", b"a.HDR", ".HDR"),
        (b"a", b"a.hdr", ".hdr"),
        (b"a.odd", b"a.hdr", ".hdr"),
        (b"a.tif", b"a.hdr", None),
        (b"a.jp2", b"a.hdr", None),
        (b"a.img", b"a.ige", ".ige"),
        (b"a.img", b"a.rrd", ".rrd"),
        (b"a.tif", b"a.ige", None),
        (b"a.png", b"a.pgw", ".pgw"),
        (b"a.jpg", b"a.jgw", ".jgw"),
        (b"a.jpeg", b"a.jgw", ".jgw"),
        (b"a.asc", b"a.prj", ".prj"),
        (b"a.nc", b"a.nc.aux.xml", ".nc.aux.xml"),
        (b"a.tif", b"b.tfw", None),
        (b"a.tif", b"a.b.tfw", None),
        (b"a.tif", b"a.tif", None),
        (b"a.tif", b"a.txt", None),
        (b"a.tif", b"a.tiff", None),
        (b"a.tif", b"A.tfw", None),
    ],
)
def test_sidecars_are_told_by_what_they_add_to_the_stem(
    raster: bytes, candidate: bytes, suffix: str | None
) -> None:
    """Only listed names of the very stem belong to a raster, as they are spelled."""
    assert naming.sidecar_suffix(raster, candidate) == suffix


@given(
    st.binary(min_size=1, max_size=20).filter(lambda b: b"/" not in b and b"\0" not in b),
    st.sampled_from([b".tif", b".JP2", b"", b".img", b".DAT", b".hgt"]),
)
@example(b"a.0", b"")  # the world file of an extension of one letter
@example(b"a.geotiff", b"")
def test_the_list_of_sidecars_and_the_test_for_one_agree(stem: bytes, extension: bytes) -> None:
    """A look by name and a scan of the folder see the same group."""
    raster = stem + extension
    for name, suffix in naming.sidecar_names(raster):
        assert naming.sidecar_suffix(raster, name) == suffix
        assert not naming.owned(raster).isdisjoint(naming.owner_stems(name))


@pytest.mark.parametrize(
    ("raster", "stem"),
    [
        (b"a.tif", "source"),
        (b"N46E008.hgt", "N46E008"),
        (b"s01w071.HGT", "S01W071"),
        (b"N46E008.SRTMGL1.hgt", "N46E008"),
        (b"N46E008_v2.hgt", "source"),
        (b"xN46E008.hgt", "source"),
        (b"N46E008.tif", "source"),
    ],
)
def test_a_place_that_only_the_name_tells_stays_in_the_copys_name(raster: bytes, stem: str) -> None:
    """All other rasters are copied under one name."""
    assert naming.copy_stem(raster) == stem


def test_a_raster_is_not_its_own_sidecar() -> None:
    """An overview file that is taken as a raster does not list itself."""
    assert b"a.ovr" not in dict(naming.sidecar_names(b"a.ovr"))


@pytest.mark.parametrize(
    ("template", "raster", "marker"),
    [
        ("{stem}.done", b"a.tif", b"a.done"),
        ("{name}.ok", b"a.tif", b"a.tif.ok"),
        ("READY", b"a.tif", b"READY"),
        ("{stem}.done", b"{name}.tif", b"{name}.done"),
    ],
)
def test_markers_name_their_raster_and_back(template: str, raster: bytes, marker: bytes) -> None:
    """From a marker's name it can be told whose it is."""
    assert naming.marker(template, raster) == marker
    assert not naming.owned(raster).isdisjoint(naming.marked_by(template, marker))
    assert not naming.marked_by(template, b"else.txt")


@given(st.binary(max_size=255), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_uploaded_names_are_safe_short_and_telling(path: bytes, content: str) -> None:
    """Whatever bytes a name has, its uploaded name is a plain file name that carries the hash."""
    name = naming.file_name(path, content)

    stem = name.removesuffix(f"-{content[:12]}.tif")
    assert stem != name
    assert 1 <= len(stem.encode()) <= 100
    assert not set(name) & set("/\\\0\n\r?#%&\"'<>|*: ")
    assert unicodedata.is_normalized("NFC", name)
    assert not name.startswith((".", "-"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"sub/ortho 2024.tif", "ortho_2024"),
        ("Zu\u0308rich.tif".encode(), "Zürich"),
        (b"...tif", "raster"),
        (b"\xff\xfe.tif", "raster"),
        (b"../../etc/passwd.tif", "passwd"),
        (b"a" * 251 + b".tif", "a" * 100),
        ("ü".encode() * 120 + b".tif", "ü" * 50),
    ],
)
def test_uploaded_names_stay_readable(path: bytes, expected: str) -> None:
    """A person recognizes the file by its uploaded name."""
    assert naming.file_name(path, "0123456789abcdef") == f"{expected}-0123456789ab.tif"


@given(st.binary(min_size=1, max_size=255), st.integers(1, 10**5), st.integers(0, 30))
def test_numbered_stems_leave_room_and_differ(stem: bytes, number: int, suffix: int) -> None:
    """A number makes another name that the file system still takes."""
    numbered = naming.numbered(stem, number, suffix)

    assert numbered == stem if number == 1 else len(numbered) + suffix <= naming.NAME_BYTES
    assert number == 1 or numbered.endswith(b"-%d" % number)


@given(st.binary(max_size=255))
def test_hidden_names_fit_and_are_ignored(name: bytes) -> None:
    """What waits for its disposal is invisible to the scan, for every name there can be."""
    assert len(naming.hidden(name)) < 40
    assert naming.ignored(naming.hidden(name))
