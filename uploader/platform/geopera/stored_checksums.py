"""The only place that reads from the object store's answer which bytes it holds."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def difference(headers: Mapping[str, str], *, size: int, crc32c: int, md5: bytes) -> str:
    """What the store holds other than we sent, in words; empty where all that it tells agrees.

    Header names in lower case. Looked at are x-goog-stored-content-length, x-goog-hash and the checksum
    headers of Amazon; the ETag only where no hash is given, and only where it can be an MD5. A hash that does
    not decode is one that we do not know.
    """
    length = headers.get("x-goog-stored-content-length", "")
    if re.fullmatch("[0-9]{1,19}", length) and int(length) != size:
        return f"{length} bytes instead of {size}"
    ours = {"crc32c": crc32c.to_bytes(4, "big"), "md5": md5}
    theirs = _hashes(headers) or _etag(headers)
    for name, value in theirs.items():
        if name in ours and value != ours[name]:
            return f"{name} {value.hex()} instead of {ours[name].hex()}"
    return ""


def _hashes(headers: Mapping[str, str]) -> dict[str, bytes]:
    """The hashes that headers give in base64, crc32c as four bytes, the most significant first."""
    pairs = [part.strip().partition("=") for part in headers.get("x-goog-hash", "").split(",")]
    given = {name.lower(): value for name, _, value in pairs if value}
    if headers.get("x-amz-checksum-crc32c"):
        given["crc32c"] = headers["x-amz-checksum-crc32c"]
    sizes = {"crc32c": 4, "md5": 16}
    return {
        name: raw
        for name, text in given.items()
        if name in sizes and (raw := _base64(text)) is not None and len(raw) == sizes[name]
    }


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _etag(headers: Mapping[str, str]) -> dict[str, bytes]:
    """The MD5 that an ETag is, unless the store encrypts with other keys: then it only looks like one."""
    tag = headers.get("etag", "").strip().strip('"').lower()
    encrypted = any(
        name in headers
        for name in (
            "x-amz-server-side-encryption-customer-algorithm",
            "x-amz-server-side-encryption-aws-kms-key-id",
        )
    )
    encrypted = encrypted or "kms" in headers.get("x-amz-server-side-encryption", "")
    if encrypted or not re.fullmatch("[0-9a-f]{32}", tag):
        return {}
    return {"md5": bytes.fromhex(tag)}
