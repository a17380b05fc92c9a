"""Rational polynomials with units behind the numbers are in the COG, all of them; what has no numbers is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.support.pool import convert
from tests.support.warned import losses
from uploader.convert import Job
from uploader.convert.read import rpc

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

_SCALARS = {
    "LINE_OFF": "+003754.00 pixels", "SAMP_OFF": "+004000.00 pixels", "LAT_OFF": "+26.80851366 degrees",
    "LONG_OFF": "+055.10000000 degrees", "HEIGHT_OFF": "+0010.000 meters", "LINE_SCALE": "+003755.00 pixels",
    "SAMP_SCALE": "+004001.00 pixels", "LAT_SCALE": "+00.07000000 degrees", "LONG_SCALE": "+000.08000000 degrees",
    "HEIGHT_SCALE": "+0500.000 meters",
}  # fmt: skip
_RPB = dict(zip(rpc.POLYNOMIALS, ("lineNumCoef", "lineDenCoef", "sampNumCoef", "sampDenCoef"), strict=True))


def _term(kind: str, number: int) -> float:
    return 1.0 if number == 1 else number * 1e-4 + rpc.POLYNOMIALS.index(kind) * 1e-5


def text_file(source: Path, unit: str = "", exponent: str = "E") -> None:
    """A `_rpc.txt` beside the raster."""
    lines = [f"{name}: {value}" for name, value in _SCALARS.items()]
    for kind in rpc.POLYNOMIALS:
        terms = (f"{_term(kind, n):+.15E}".replace("E", exponent) for n in range(1, 21))
        lines += [f"{kind}_{n}: {term} {unit}" for n, term in enumerate(terms, 1)]
    source.with_name("source_rpc.txt").write_text("\n".join(lines) + "\n")


def rpb_file(source: Path, unit: str) -> None:
    """A `.RPB` beside the raster, with units as they are or in brackets."""
    spelled = {
        re.sub(r"_(\w)\w*$", "", name).lower() + {"OFF": "Offset", "SCALE": "Scale"}[name.rpartition("_")[2]]: value
        for name, value in _SCALARS.items()
    }  # fmt: skip
    body = "".join(
        f"\t{name} = {re.sub(r' (.*)', unit, value)};\n"
        for name, value in spelled.items()
    )  # fmt: skip
    for kind, name in _RPB.items():
        body += f"\t{name} = (\n" + ",\n".join(f"\t\t{_term(kind, n):+.15E}" for n in range(1, 21)) + ");\n"
    source.with_suffix(".RPB").write_text(
        f'satId = "QB02";\nBEGIN_GROUP = IMAGE\n{body}END_GROUP = IMAGE\nEND;\n'
    )


def note(source: Path, **other: str) -> None:
    """An `.aux.xml` beside the raster."""
    items = (
        _SCALARS
        | {kind: " ".join(repr(_term(kind, n)) for n in range(1, 21)) for kind in rpc.POLYNOMIALS}
        | other
    )
    found = "".join(f'<MDI key="{name}">{value}</MDI>' for name, value in items.items())
    source.with_name("source.tif.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="RPC">{found}</Metadata></PAMDataset>'
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A raster without a place."""
    path = tmp_path / "in" / "source.tif"
    path.parent.mkdir()
    with rasterio.open(path, "w", driver="GTiff", width=50, height=50, count=1, dtype="uint16") as dataset:
        dataset.write(np.arange(2500, dtype=np.uint16).reshape(1, 50, 50))
    return path


async def converted(source: Path) -> tuple[list[str], rasterio.rpc.RPC | None]:
    """The warnings' codes, and the coefficients in the COG."""
    target = source.parent.parent / "out.tif"
    report = await convert(Job(source, target))
    with rasterio.open(target) as dataset:
        return losses(report), dataset.rpcs


@pytest.mark.parametrize(
    "write",
    [
        text_file,
        lambda source: text_file(source, unit="pixels"),
        lambda source: text_file(source, exponent="D"),
        lambda source: rpb_file(source, r" \1"),
        lambda source: rpb_file(source, r" <\1>"),
        lambda source: rpb_file(source, ""),
        note,
    ],
    ids=["text", "text-units-everywhere", "text-fortran", "rpb", "rpb-brackets", "rpb-bare", "aux-xml"],
)
async def test_coefficients_with_units_are_kept(source: Path, write: Callable[[Path], None]) -> None:
    """Offsets, scales and all eighty terms, from each file that GDAL reads them of."""
    write(source)

    codes, found = await converted(source)

    assert codes == []
    assert found is not None
    assert (found.line_off, found.lat_off, found.height_scale) == (3754.0, 26.80851366, 500.0)
    kept = (found.line_num_coeff, found.line_den_coeff, found.samp_num_coeff, found.samp_den_coeff)
    for kind, terms in zip(rpc.POLYNOMIALS, kept, strict=True):
        assert terms == pytest.approx([_term(kind, n) for n in range(1, 21)], rel=1e-14)


async def test_bounds_have_no_place(source: Path) -> None:
    """What a TIFF has no tag for is named; the coefficients are kept."""
    note(source, MIN_LONG="54.9")

    codes, found = await converted(source)

    assert codes == ["rpc_unread"]
    assert found is not None


@pytest.mark.parametrize("value", ["none", "", "1,5"])
async def test_coefficients_that_are_no_numbers_are_named(source: Path, value: str) -> None:
    """A set with one that makes no sense is no set, and no reason to refuse the raster."""
    note(source, LINE_OFF=value)

    codes, found = await converted(source)

    assert codes == ["rpc_unread"]
    assert found is None
