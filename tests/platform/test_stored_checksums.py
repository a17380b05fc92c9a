"""What the object store's headers say of the bytes it holds."""

from __future__ import annotations

import base64
import hashlib

import google_crc32c
import pytest

from uploader.platform.geopera.stored_checksums import Held, difference, read

pytestmark = pytest.mark.unit

BYTES = b"a raster"
CRC = google_crc32c.value(BYTES)
CRC64 = base64.b64encode(CRC.to_bytes(4, "big")).decode()
MD5 = hashlib.md5(BYTES).digest()
MD564 = base64.b64encode(MD5).decode()
OTHER = base64.b64encode(hashlib.md5(b"other").digest()).decode()


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"x-goog-hash": f"crc32c={CRC64},md5={MD564}"}, ""),
        ({"x-goog-hash": f"crc32c={CRC64}, md5={MD564}"}, ""),
        ({"x-goog-hash": f"crc32c=AAAAAA==,md5={MD564}"}, "crc32c"),
        ({"x-goog-hash": f"crc32c=AAAAAA==,md5={OTHER}"}, "crc32c"),
        ({"x-goog-hash": f"md5={OTHER}"}, "md5"),
        ({"x-goog-hash": "crc32c=!!!,sha9=AAAA"}, ""),
        ({"x-goog-hash": "crc32c=AAAA"}, ""),
        ({"x-goog-hash": f"md5={MD564}", "etag": f'"{"0" * 32}"'}, ""),
        ({"etag": f'"{MD5.hex()}"'}, ""),
        ({"etag": f'"{"0" * 32}"'}, "md5"),
        ({"etag": f'"{"0" * 32}"', "x-amz-server-side-encryption": "aws:kms"}, ""),
        ({"etag": f'"{"0" * 32}-7"'}, ""),
        ({"etag": 'W/"CJDb"'}, ""),
        ({"x-amz-checksum-crc32c": CRC64}, ""),
        ({"x-amz-checksum-crc32c": "AAAAAA=="}, "crc32c"),
        ({"x-goog-stored-content-length": "8"}, ""),
        ({"x-goog-stored-content-length": "7", "x-goog-hash": f"crc32c={CRC64}"}, "bytes"),
        ({"x-goog-stored-content-length": "many"}, ""),
        ({}, ""),
    ],
)
def test_differences_are_named(headers: dict[str, str], name: str) -> None:
    """A hash or length that differs is named; one that is absent or unreadable is not held against the store."""
    told = difference(read(headers), Held(len(BYTES), CRC, MD5))

    assert bool(told) == bool(name)
    assert name in told


@pytest.mark.parametrize(
    ("headers", "alone"),
    [
        ({"x-goog-hash": f"crc32c={CRC64},md5={MD564}"}, False),
        ({"x-goog-hash": f"md5={MD564}"}, True),
        ({"etag": f'"{MD5.hex()}"'}, True),
        ({"x-amz-checksum-crc32c": CRC64, "etag": f'"{MD5.hex()}"'}, False),
        ({}, False),
    ],
)
def test_an_md5_is_made_only_for_a_store_that_tells_nothing_else(
    headers: dict[str, str], alone: bool
) -> None:
    """It takes thirty times as long as the CRC-32C, which is known from sending."""
    assert read(headers).only_md5 is alone
