"""What is told of a raster that is not converted, but could be uploaded as it is."""

from __future__ import annotations

import pytest

from uploader.core.errors import ConverterBroken, LocalError, NoAnswer, RasterRefused
from uploader.core.upload_advice import ADVICE, Asker, advised

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("asker", Asker)
@pytest.mark.parametrize("way_out", ["", "Mend it."])
def test_the_way_out_tells_each_asker_how(asker: Asker, way_out: str) -> None:
    """Behind what else helps, or alone; the reason and the kind of the error stay."""
    told = advised(RasterRefused("It is odd.", way_out, as_it_is=True), asker)

    assert (type(told), told.reason) == (RasterRefused, "It is odd.")
    assert told.way_out == f"{way_out} {ADVICE[asker]}".strip()
    assert advised(told, asker) is told


@pytest.mark.parametrize(
    "error", [RasterRefused("It is too large."), ConverterBroken("No."), NoAnswer("No.")]
)
def test_nothing_is_advised_of_what_could_not_go_as_it_is(error: LocalError) -> None:
    """Neither of a raster beyond the limits, nor of what is no raster's fault."""
    assert advised(error, Asker.FOLDER) is error
