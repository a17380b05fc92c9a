"""The public RSA keys of service accounts, and what they signed: PKCS #1 v1.5 with SHA-256. Nothing secret is here.

Whoever needs it imports it late: most sandboxes are told of no account, and start without the library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

_LEAST_BITS = 2048


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The key of one account."""

    key: RSAPublicKey

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Read a PEM file, `PUBLIC KEY` (SubjectPublicKeyInfo) or `RSA PUBLIC KEY`.

        Raises:
            ValueError: it is another file, or a key under 2048 bits.

        """
        try:
            key = load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("a PEM file with an RSA public key is wanted") from error
        if not isinstance(key, RSAPublicKey):
            raise ValueError("a PEM file with an RSA public key is wanted")  # noqa: TRY004  the text is wrong
        if key.key_size < _LEAST_BITS:
            raise ValueError(f"an RSA key of at least {_LEAST_BITS} bits is wanted")
        return cls(key)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the owner of the key signed exactly this message."""
        try:
            self.key.verify(signature, message, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True
