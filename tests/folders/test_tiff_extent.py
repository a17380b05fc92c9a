"""How far a TIFF reaches."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.folders import extent
from uploader.folders.tiff_extent import MAX_DIRECTORIES

pytestmark = pytest.mark.unit

SHORT, LONG, LONG8 = 3, 4, 16


def tiff(
    blocks: list[bytes | None],
    *,
    order: str = "<",
    big: bool = False,
    kind: int = LONG,
    tags: tuple[int, int] = (324, 325),
    ifd_first: bool = False,
    extra: list[tuple[int, int, int, int]] | None = None,
) -> bytes:
    """A TIFF of these blocks (None: sparse), with its directory before or behind them."""
    kind = LONG8 if big else kind
    code = {SHORT: "H", LONG: "I", LONG8: "Q"}[kind]
    layout = order + ("HHQQ" if big else "HHII")
    entries = 2 + len(extra or [])
    header = 16 if big else 8
    head = (8 if big else 2) + entries * struct.calcsize(layout) + (8 if big else 4)
    arrays = 2 * len(blocks) * struct.calcsize(code)
    data_at = header + head + arrays if ifd_first else header
    offsets, place = [], data_at
    for block in blocks:
        offsets.append(0 if block is None else place)
        place += len(block or b"")
    ifd = header if ifd_first else place
    values = ifd + head
    counts = [len(b or b"") for b in blocks]
    width = len(blocks) * struct.calcsize(code)
    inline = width <= (8 if big else 4)

    def entry(tag: int, numbers: list[int], at: int) -> bytes:
        if inline:
            raw = struct.pack(order + f"{len(numbers)}{code}", *numbers).ljust(8 if big else 4, b"\0")
            return struct.pack(layout[:3], tag, kind) + struct.pack(order + layout[3], len(numbers)) + raw
        return struct.pack(layout, tag, kind, len(numbers), at)

    out = struct.pack(order + ("HHHQ" if big else "H"), *((43, 8, 0, ifd) if big else (42,)))
    out = {"<": b"II", ">": b"MM"}[order] + (out if big else out + struct.pack(order + "I", ifd))
    directory = struct.pack(order + ("Q" if big else "H"), entries)
    directory += entry(tags[0], offsets, values) + entry(tags[1], counts, values + width)
    directory += b"".join(struct.pack(layout, *e) for e in extra or [])
    directory += bytes(8 if big else 4)
    if not inline:
        directory += struct.pack(order + f"{len(offsets)}{code}", *offsets)
        directory += struct.pack(order + f"{len(counts)}{code}", *counts)
    body = b"".join(b or b"" for b in blocks)
    return out + (directory.ljust(data_at - header, b"\0") + body if ifd_first else body + directory)


@pytest.fixture
def write(tmp_path: Path) -> object:
    """Write bytes to a file and return its path."""

    def write(data: bytes) -> str:
        path = tmp_path / "x.tif"
        path.write_bytes(data)
        return str(path)

    return write


VARIANTS = [
    {"order": order, "big": big, "ifd_first": first, "tags": tags}
    for order in "<>"
    for big in (False, True)
    for first, tags in ((False, (324, 325)), (True, (273, 279)))
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_whole_tiff_is_whole_and_every_cut_of_it_is_not(write, variant: dict[str, object]) -> None:
    """Wherever a copy stopped, the file is known to be short, and how long it has to be at least."""
    data = tiff([b"a" * 20, b"b" * 25, b"c" * 30], **variant)  # type: ignore[arg-type]
    linked = 8 if variant["big"] else 4

    assert extent(write(data)).whole is True
    for size in range(len(data)):
        found = extent(write(data[:size]))
        # The link to the next directory may be missing: nothing hangs on it.
        assert found.whole is (size >= len(data) - linked and found.needs <= size), size
        assert found.whole or size < found.needs <= len(data)


def test_sparse_tiles_need_nothing(write) -> None:
    """Tiles without offset or bytes are blank by agreement, and a file of them is whole."""
    assert extent(write(tiff([None, b"a" * 10, None]))).whole is True
    assert extent(write(tiff([None, None]))).whole is True


def test_short_offsets_and_inline_values_are_read(write) -> None:
    """Small files keep their numbers in two bytes, or within the directory itself."""
    data = tiff([b"a" * 30], kind=SHORT)

    assert extent(write(data)).whole is True
    assert extent(write(tiff([b"a" * 30], kind=SHORT, ifd_first=True)[:-1])).whole is False


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"", False),
        (b"II*", False),
        (bytes(100), False),
        (b"II*\0\0\0\0\0", False),
        (b"<html><body>not found", None),
        (b"II\x2b\0\x08\0\0\0", False),
        (b"II\x2b\0\x04\0\0\0" + bytes(8), None),
        (b"II\x2c\0\x08\0\0\0", None),
        (b"II*\0\x08\0\0\0\0\0", None),
        (b"II*\0\xff\xff\xff\x7f", False),
    ],
)
def test_what_is_no_tiff_cannot_be_told_and_what_has_no_directory_is_short(
    write, data: bytes, whole: bool | None
) -> None:
    """Empty, reserved and headless files are still on their way; other formats are not judged."""
    assert extent(write(data)).whole is whole


def test_tag_values_beyond_the_end_count_only_where_they_matter(write) -> None:
    """The geokeys have to be there; where a private tag points is nobody's business."""
    assert extent(write(tiff([b"a" * 30], extra=[(34735, SHORT, 40, 9000)]))).needs == 9080
    assert extent(write(tiff([b"a" * 30], extra=[(65000, SHORT, 40, 9000)]))).whole is True


def test_directories_that_form_a_ring_end(write) -> None:
    """A chain that bites its tail is walked once."""
    data = bytearray(tiff([b"a" * 30]))
    struct.pack_into("<I", data, len(data) - 4, struct.unpack_from("<I", data, 4)[0])

    assert extent(write(bytes(data))).whole is True


def test_an_endless_chain_is_left_at_the_bound(write) -> None:
    """A million pages are not walked; then it cannot be told."""
    page = struct.pack("<HHHIHH", 1, 256, SHORT, 1, 7, 0)
    pages = b"".join(page + struct.pack("<I", 8 + (n + 1) * 18) for n in range(MAX_DIRECTORIES + 1))

    assert extent(write(b"II*\0\x08\0\0\0" + pages)).whole is None


def test_a_monstrous_count_is_answered_at_once(write) -> None:
    """A directory that promises four billion tiles costs nothing."""
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", 2)
    data += struct.pack("<HHII", 324, LONG, 0xFFFFFFFF, 50) + struct.pack("<HHII", 325, LONG, 0xFFFFFFFF, 50)

    assert extent(write(data + bytes(100))).whole is False
    absurd = b"II\x2b\0\x08\0\0\0" + struct.pack("<QQ", 16, 1) + struct.pack("<HHQQ", 324, LONG8, 1 << 60, 50)
    assert extent(write(absurd + bytes(100))).whole is None


def test_many_tiles_are_read_in_pieces_and_the_last_one_counts(write) -> None:
    """The last of a hundred thousand tiles is looked at like the first."""
    data = tiff([b"x"] * 100_000, ifd_first=True)

    assert extent(write(data)).whole is True
    assert extent(write(data[:-1])).needs == len(data)


@given(st.binary(max_size=400), st.booleans())
def test_garbage_never_raises(data: bytes, big: bool) -> None:
    """Whatever bytes follow a header, there is an answer."""
    fd = os.memfd_create("x")
    try:
        os.write(fd, (b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" if big else b"II*\0\x08\0\0\0") + data)
        assert extent(fd).whole in (True, False, None)
    finally:
        os.close(fd)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A path is opened only where it is a file itself."""
    (tmp_path / "x").write_bytes(tiff([b"a"]))
    (tmp_path / "l").symlink_to("x")

    with pytest.raises(OSError, match="symbolic"):
        extent(str(tmp_path / "l"))


def test_of_a_tag_that_comes_twice_the_first_counts(tmp_path: Path) -> None:
    """So libtiff reads it: a second one that leads out of the file does not make a whole one incomplete."""
    path = tmp_path / "a.tif"
    path.write_bytes(tiff([b"pixels"], extra=[(324, LONG, 1, 1 << 20), (325, LONG, 9, 1 << 20)]))

    assert extent(path.as_posix()).whole
