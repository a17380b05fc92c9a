"""Extensions and content types of what is uploaded."""

from __future__ import annotations

import pytest

from uploader.core import media_types

pytestmark = pytest.mark.unit

_CONTENT = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        (b"sub/roads.gpkg", "roads-0123456789ab.gpkg", "application/geopackage+sqlite3"),
        (b"Place.GeoJSON", "Place-0123456789ab.geojson", "application/geo+json"),
        (b"a.copc.laz", "a.copc-0123456789ab.laz", "application/vnd.laszip"),
        (b"a.las", "a-0123456789ab.las", "application/vnd.las"),
        (b"a.parquet", "a-0123456789ab.parquet", "application/vnd.apache.parquet"),
        (b"a.tif", "a-0123456789ab.tif", "image/tiff"),
        (b"a.odd", "a-0123456789ab.odd", "application/octet-stream"),
        (b"bare", "bare-0123456789ab", "application/octet-stream"),
        ("a.größe".encode(), "a-0123456789ab", "application/octet-stream"),
    ],
)
def test_what_passes_through_keeps_its_extension(path: bytes, name: str, kind: str) -> None:
    """In lower case, and only where it is plain; the content type follows from it."""
    assert media_types.upload_name(path, _CONTENT, ("*",)) == name
    assert media_types.content_type(name) == kind


def test_what_is_converted_is_a_tiff() -> None:
    """Whatever it was before."""
    assert media_types.upload_name(b"a.jp2", _CONTENT, ("*.gpkg",)) == "a-0123456789ab.tif"


def test_content_types_are_whole() -> None:
    """Each key is an extension in lower case, each value a type and a subtype."""
    for extension, kind in media_types.CONTENT_TYPES.items():
        assert extension == extension.lower()
        assert extension.startswith(".")
        assert kind.count("/") == 1
