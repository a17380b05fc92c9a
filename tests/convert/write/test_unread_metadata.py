"""Sidecars that are there and cannot be read are named; those that can be read, or say nothing new, are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_NOTE = "<PAMDataset><PAMRasterBand band='1'><NoDataValue>7</NoDataValue></PAMRasterBand></PAMDataset>"
_ODD = b"<PAMDataset><!-- <a> --><Metadata><MDI key=K>a&b \xf6</MDI></Metadata></PAMDataset>"
_HERE = rasterio.Affine(1, 0, 5e5, 0, -1, 5e6)


async def codes(folder: Path, beside: dict[str, bytes], **profile: object) -> list[str]:
    """The codes of warnings of a TIFF with these files beside it."""
    source = folder / "in" / "source.tif"
    source.parent.mkdir()
    shape = {"driver": "GTiff", "width": 40, "height": 40, "count": 1, "dtype": "uint8"}
    with rasterio.open(source, "w", **shape, **{"crs": "EPSG:32632"} | profile) as dataset:
        dataset.write(np.arange(1600, dtype=np.uint8).reshape(1, 40, 40))
    for name, content in beside.items():
        source.with_name(name).write_bytes(content)
    report = await convert(Job(source, folder / "out.tif"))
    return losses(report)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("source.tif.aux.xml", _NOTE[:60].encode()),
        ("source.tif.aux.xml", b""),
        ("source.tif.aux.xml", b"no markup"),
        ("source.tif.aux.xml", _NOTE.encode("utf-16")),
        ("source.tif.aux.xml", b'<?xml version="1.0"?>' + _NOTE.encode()),
        ("source.tif.aux.xml", _NOTE.replace("</NoDataValue>", "").encode()),
        ("source.aux.xml", b"\0" * 100),
        ("source.tfw", b""),
        ("source.tfw", b"1\n0\n0\n-1\n500000\n"),
        ("source.wld", b"one\ntwo\nthree\nfour\nfive\nsix\n"),
        ("source_rpc.txt", b"LINE_OFF: none\n"),
        ("source.RPB", b"nothing of use"),
        ("source.RPB", b""),
        ("source.tab", b"nothing of use"),
    ],
)
async def test_a_sidecar_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    """Cut off, empty, of another kind, or in a form that GDAL passes over: that it was left out is told."""
    assert await codes(tmp_path, {name: content}) == ["sidecar_unreadable"]


async def test_words_of_a_product_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """What a satellite product says in words has a code of its own."""
    assert await codes(tmp_path, {"source.IMD": b"\xff\xfe nothing"}) == ["product_metadata_lost"]


@pytest.mark.parametrize(
    ("name", "content", "profile"),
    [
        ("source.tif.aux.xml", _NOTE.encode(), {}),
        ("source.tif.aux.xml", b"\xef\xbb\xbf\n" + _NOTE.encode() + b"\0\n", {}),
        ("source.tif.aux.xml", _ODD, {}),
        ("source.tif.aux.xml", b"<PAMDataset />", {}),
        ("source.tfw", b"1\n0\n0\n-1\n500000.5\n4999999.5\n", {}),
        ("source.tfw", b"1,0\r\n0\r\n0\r\n-1,0\r\n500000,5\r\n4999999,5\r\n", {}),
        ("source.tfw", b"nothing of use", {"transform": _HERE}),
    ],
)  # fmt: skip
async def test_what_is_read_or_not_needed_is_not_named(
    tmp_path: Path, name: str, content: bytes, profile: dict[str, object]
) -> None:
    """As lenient as GDAL; and where the raster says itself what the file would, nobody misses the file."""
    assert await codes(tmp_path, {name: content}, **profile) == []
