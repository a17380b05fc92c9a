"""What may be declared, as it is written."""

from __future__ import annotations

import pytest

from uploader.core import declared_values

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    ["", "EPSG:25832", " epsg:25832 ", "EPSG:25832+7837", "OGC:CRS84", "+proj=utm +zone=32", 'GEOGCS["x",DATUM["y"]]'],
)  # fmt: skip
def test_a_system_is_taken(text: str) -> None:
    """Codes, PROJ strings and WKT; blanks around them do not matter."""
    assert declared_values.crs_text(text) == text.strip()


@pytest.mark.parametrize("text", ["25832", "UTM 32", "/etc/passwd", 'GEOGCS["x"', "http://x.y/z", "proj=utm"])
def test_what_is_no_system_is_told(text: str) -> None:
    """The complaint says what to write."""
    with pytest.raises(ValueError, match="write"):
        declared_values.crs_text(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *(
            ("", ""),
            (0, "0"),
            (-9999, "-9999"),
            ("-9999.0", "-9999.0"),
            ("NaN", "nan"),
            (float("nan"), "nan"),
        ),
        *(("1152921504606846977", "1152921504606846977"), (1e-5, "1e-05")),
    ],
)
def test_a_nodata_value_keeps_its_digits(value: str | float, text: str) -> None:
    """As text, for a float has fewer digits than a 64-bit integer."""
    assert declared_values.nodata_text(value) == text


@pytest.mark.parametrize("value", ["none", "0,5", "inf", True, "1 2"])
def test_what_is_no_number_is_told(value: str | float) -> None:
    """Infinity is none that a raster would lack data by."""
    with pytest.raises(ValueError, match="write"):
        declared_values.nodata_text(value)
