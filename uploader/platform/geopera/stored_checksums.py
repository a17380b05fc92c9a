"""The only place that reads from the object store's answer which bytes it holds."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Held:
    """Size in bytes and hashes of an object, as far as they are known."""

    size: int | None
    crc32c: int | None
    md5: bytes | None

    @property
    def only_md5(self) -> bool:
        """Whether no other hash is known: making one takes thirty times as long as a CRC-32C."""
        return self.crc32c is None and self.md5 is not None


def read(headers: Mapping[str, str]) -> Held:
    """What the store says it holds; header names in lower case.

    Looked at are x-goog-stored-content-length, x-goog-hash and the checksum headers of Amazon; the ETag only where no
    hash is given, and only where it can be an MD5. A hash that does not decode is one that we do not know.
    """
    length = headers.get("x-goog-stored-content-length", "")
    found = _hashes(headers) or _etag(headers)
    return Held(
        int(length) if re.fullmatch("[0-9]{1,19}", length) else None,
        int.from_bytes(found["crc32c"], "big") if "crc32c" in found else None,
        found.get("md5"),
    )


def difference(held: Held, own: Held) -> str:
    """What the store holds other than we sent, in words; empty where all that both know agrees."""
    if None not in (held.size, own.size) and held.size != own.size:
        return f"{held.size} bytes instead of {own.size}"
    if held.crc32c is not None and own.crc32c is not None and held.crc32c != own.crc32c:
        return f"crc32c {held.crc32c:08x} instead of {own.crc32c:08x}"
    if held.md5 is not None and own.md5 is not None and held.md5 != own.md5:
        return f"md5 {held.md5.hex()} instead of {own.md5.hex()}"
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
