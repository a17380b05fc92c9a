"""RSA signatures, checking only: PKCS #1 v1.5 with SHA-256 (RFC 8017, section 8.2.2), and the keys' PEM files.

Python checks one in a millisecond, so that the sandbox needs no library of cryptography. Nothing secret is here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Self

_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 up to the digest itself."""
_SEQUENCE, _INTEGER, _BITS = 0x30, 0x02, 0x03
_LEAST_BITS = 2048
_MANY = 0x80


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Modulus and exponent."""

    modulus: int
    exponent: int

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Read a PEM file, `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY`.

        Raises:
            ValueError: it is another file, or a key under 2048 bits.

        """
        lines = [line.strip() for line in text.strip().splitlines()]
        try:
            body = base64.b64decode("".join(lines[1:-1]), validate=True)
            inner = _content(body, _SEQUENCE)
            if lines[0] != "-----BEGIN RSA PUBLIC KEY-----":
                _, rest = _split(inner)
                inner = _content(_content(rest, _BITS)[1:], _SEQUENCE)
            _, rest = _split(inner)
            modulus, exponent = (int.from_bytes(_content(one, _INTEGER), "big") for one in (inner, rest))
        except (IndexError, ValueError) as error:
            raise ValueError("a PEM file with an RSA public key is wanted") from error
        if modulus.bit_length() < _LEAST_BITS:
            raise ValueError(f"an RSA key of at least {_LEAST_BITS} bits is wanted")
        return cls(modulus, exponent)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the owner of the key signed exactly this message."""
        size = (self.modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != size or number >= self.modulus:
            return False
        digest = _SHA256 + hashlib.sha256(message).digest()
        wanted = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
        return hmac.compare_digest(pow(number, self.exponent, self.modulus).to_bytes(size, "big"), wanted)


def _content(data: bytes, tag: int) -> bytes:
    """What the first DER element, which must be of this tag, contains."""
    if data[0] != tag:
        raise ValueError("another element was expected")
    begin, end = _bounds(data)
    return data[begin:end]


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The first DER element, and what comes after it."""
    _, end = _bounds(data)
    return data[:end], data[end:]


def _bounds(data: bytes) -> tuple[int, int]:
    length, begin = data[1], 2
    if length >= _MANY:
        begin += length - _MANY
        length = int.from_bytes(data[2:begin], "big")
    if begin + length > len(data):
        raise ValueError("it ends too early")
    return begin, begin + length
