"""What a child tells beside its report: what the parent believes of it, and that a conversion never fails for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from rasterio.io import MemoryFile

from tests.convert.test_shortage import ROOT
from tests.support import rasters
from uploader.convert import Converter, Job, Report
from uploader.convert.engine import starting
from uploader.convert.engine.child_answers import quicklook_of
from uploader.convert.pictures.picture import png
from uploader.convert.quicklook import SIDE, FootprintOrigin, Quicklook, is_thumbnail

pytestmark = pytest.mark.anyio

PLANTED = (
    "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from uploader.convert.engine import child, zygote; "
    "from tests.convert import lazing; child.quicklook = lazing.{what}; zygote.main(sys.argv[1:])"
)
"""A zygote whose children do one of the things in `lazing` instead of looking."""


def sample(side: int = 4, channels: int = 3) -> bytes:
    """A PNG."""
    import numpy as np  # noqa: PLC0415

    return png(np.zeros((side, side, channels), np.uint8))


@pytest.mark.unit
def test_what_was_found_comes_back() -> None:
    """Ring, origin and picture cross the pipe."""
    found = Quicklook(((0, 0), (10, 0), (10, 10)), FootprintOrigin.GCPS, sample())

    assert Quicklook.from_json(found.to_json()) == found


@pytest.mark.unit
@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({}, Quicklook()),
        (
            {"footprint": [[0, 0], [10, 0], [10, 10]], "origin": "transform"},
            (3, FootprintOrigin.TRANSFORM, b""),
        ),
        ({"footprint": [[0, 0], [10, 0], [10, 1e300]], "origin": "transform", "thumbnail": ""}, Quicklook()),
        ({"footprint": [[0, 0], [10, 0], [10, 10**12]], "origin": "gcps", "thumbnail": "!"}, Quicklook()),
        ({"footprint": "abc", "origin": "gcps", "thumbnail": 7}, Quicklook()),
        ({"footprint": 7, "origin": "gcps", "thumbnail": []}, Quicklook()),
        ({"footprint": [], "origin": "moon"}, Quicklook()),
        ({"footprint": [], "origin": ["gcps"]}, Quicklook()),
        ({"footprint": [], "origin": "rpcs", "thumbnail": "R0lGODlh"}, (0, FootprintOrigin.RPCS, b"")),
    ],
)
def test_what_makes_no_sense_is_left_out(told: dict[str, Any], kept: Any) -> None:
    """Whatever a child says; the rest of it is kept."""
    found = Quicklook.from_json(told)

    if isinstance(kept, Quicklook):
        assert found == kept
    else:
        assert (len(found.footprint), found.origin, found.thumbnail) == kept


@pytest.mark.unit
@pytest.mark.parametrize("line", [b"", b"7", b"[]", b"{", b'{"footprint": NaN}', b"\xff"])
def test_a_line_that_is_none_is_no_quicklook(line: bytes) -> None:
    """Or an empty one."""
    assert quicklook_of(line) in {None, Quicklook()}


@pytest.mark.unit
@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"GIF89a" + bytes(100),
        sample(SIDE + 1),
        sample()[:-1],
        sample()[:33],
        sample().replace(b"IHDR", b"IHDX"),
        sample()[:16] + bytes(4) + sample()[20:],
        sample()[:24] + b"\x10" + sample()[25:],
        sample()[:25] + b"\x03" + sample()[26:],
        sample()[:-12] + bytes(200 << 10) + sample()[-12:],
    ],
)
def test_only_a_small_png_is_a_thumbnail(wrong: bytes) -> None:
    """By its signature, its header and its end; a picture of another size or kind is none."""
    assert is_thumbnail(sample())
    assert is_thumbnail(sample(SIDE, 4))
    assert not is_thumbnail(wrong)


@pytest.mark.unit
def test_a_transform_in_the_report_is_six_numbers() -> None:
    """The parent computes with it."""
    told = Report("encode", categorical=False, facts={"transform": [1.0, 0.0, 5.0, 0.0, -1.0, 9.0]}).to_json()
    assert "quicklook" not in told
    assert Report.from_json(told).facts == told["facts"]
    for wrong in ([1.0] * 5, [1.0] * 5 + [None], [1.0] * 5 + [float("nan")], "abcdef", 7, {"a": 1}):
        with pytest.raises((ValueError, TypeError)):
            Report.from_json(told | {"facts": {"transform": wrong}})


KINDS = {
    "rgb_striped": (FootprintOrigin.TRANSFORM, 3),
    "dem_nodata": (FootprintOrigin.TRANSFORM, 2),
    "palette": (FootprintOrigin.TRANSFORM, 4),
    "masked": (FootprintOrigin.TRANSFORM, 4),
    "ready_cog": (FootprintOrigin.TRANSFORM, 1),
    "complex_numbers": (FootprintOrigin.TRANSFORM, 1),
    "gcps": (FootprintOrigin.GCPS, 1),
    "rpcs": (FootprintOrigin.RPCS, 1),
    "plain": (FootprintOrigin.NO_CRS, 1),
}


@pytest.mark.e2e
async def test_each_kind_has_a_picture_and_a_place(tmp_path: Path) -> None:
    """By whatever method it is converted; and only where it was asked for."""
    methods = set()
    async with Converter(1) as converter:
        for kind, (origin, channels) in KINDS.items():
            source = rasters.make(kind, tmp_path / kind / "source.tif", size=700)
            job = Job(source, tmp_path / f"{kind}.tif", quicklook=True)
            report = await converter.convert(job)
            methods.add(report.method)
            found = report.quicklook
            assert found is not None
            assert (kind, found.origin, bool(found.footprint)) == (
                kind,
                origin,
                origin in {"transform", "gcps"},
            )
            with MemoryFile(found.thumbnail) as file, file.open(driver="PNG") as picture:
                assert (kind, picture.count) == (kind, channels)
                assert 128 <= max(picture.shape) <= SIDE
        assert (await converter.convert(Job(source, tmp_path / "again.tif"))).quicklook is None
    assert methods >= {"encode", "passthrough", "cog_driver"}


@pytest.mark.e2e
@pytest.mark.parametrize("what", ["crash", "hang", "lie"])
async def test_no_conversion_fails_for_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The child dies of it, is ended by the kernel, or lies: the COG is whole and published, the next one, too."""
    monkeypatch.setattr(starting, "_START", PLANTED.format(what=what))
    monkeypatch.setattr(starting, "module_path", lambda: [str(ROOT), *sys.path])
    source = rasters.make("rgb_striped", tmp_path / "in" / "source.tif", size=100)
    async with Converter(1) as converter:
        for name in ("a.tif", "b.tif"):
            report = await converter.convert(Job(source, tmp_path / name, quicklook=True))
            assert report.method == "encode"
            assert report.quicklook in {None, Quicklook()}
            assert (tmp_path / name).stat().st_size > 1000
