"""Signed URLs of the object store: made and checked by the same canonical request, in Google's V4 manner.

The sandbox signs with GOOG4-HMAC-SHA256, and takes GOOG4-RSA-SHA256 of the service accounts that it was told; see
cloud.google.com/storage/docs/authentication/canonical-requests.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from uploader.sandbox.errors import StoreRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.sandbox.rsa import PublicKey

ALGORITHM = "GOOG4-HMAC-SHA256"
RSA = "GOOG4-RSA-SHA256"
_STAMP = "%Y%m%dT%H%M%SZ"
_FUTURE = 900.0
"""Seconds that a URL's date may lie ahead of the store's clock."""
_LONGEST = 604_800
"""Seconds that a URL may live: a week."""
_DIGITS = 10
_SCOPE_PARTS = 5
"""Who, day, place, service, request."""
PAYLOAD = "x-goog-content-sha256"
"""A signed header of this name says what the body must be; its value then stands in the canonical request."""
UNSIGNED = "UNSIGNED-PAYLOAD"
_PARAMETERS = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")


@dataclass(frozen=True, slots=True)
class Signer:
    """Mints and verifies. `origin` is what stands before the path, such as `http://127.0.0.1:9000`.

    `accounts` are the public keys of service accounts by their addresses.
    """

    secret: bytes
    access_id: str
    origin: str
    accounts: Mapping[str, PublicKey] = field(default_factory=dict)

    def url(self, method: str, path: str, *, at: float, life: float, headers: Mapping[str, str]) -> str:
        """A URL that allows `method` on `path` (not yet quoted) with exactly these headers, host added.

        `at` is unix seconds and cut to whole ones, as the format demands; `life` at least one second.
        """
        signed = {name.lower(): value for name, value in headers.items()}
        signed["host"] = self.origin.partition("://")[2]
        stamp = datetime.fromtimestamp(int(at), UTC).strftime(_STAMP)
        query = {
            "X-Goog-Algorithm": ALGORITHM,
            "X-Goog-Credential": f"{self.access_id}/{_scope(stamp)}",
            "X-Goog-Date": stamp,
            "X-Goog-Expires": str(max(1, int(life))),
            "X-Goog-SignedHeaders": ";".join(sorted(signed)),
        }
        text = _text(ALGORITHM, stamp, _scope(stamp), _canonical(method, path, query, signed))
        signature = self._sign(text, _scope(stamp))
        return f"{self.origin}{_quoted(path)}?{_joined(query)}&X-Goog-Signature={signature}"

    def verify(self, method: str, path: str, query: str, headers: Mapping[str, str], now: float) -> None:
        """Check one request; `path` is as it came, `query` without its question mark, header names lower case.

        Raises:
            StoreRefusal: the reason, with the code that the store would use.

        """
        given = _parameters(query)
        signature = given.pop("X-Goog-Signature")
        names = given["X-Goog-SignedHeaders"].split(";")
        _check_headers(names, headers)
        canonical = _canonical(method, unquote(path), given, {name: headers.get(name, "") for name in names})
        scope = given["X-Goog-Credential"].partition("/")[2]
        text = _text(given["X-Goog-Algorithm"], given["X-Goog-Date"], scope, canonical)
        if not self._is_signed(given, text, scope, signature):
            raise StoreRefusal(
                403,
                "SignatureDoesNotMatch",
                "Access denied.",
                StringToSign=text,
                CanonicalRequest=canonical,
            )
        _check_clock(given, now)

    def _is_signed(self, given: Mapping[str, str], text: str, scope: str, signature: str) -> bool:
        who = given["X-Goog-Credential"].partition("/")[0]
        if given["X-Goog-Algorithm"] == ALGORITHM:
            same = hmac.compare_digest(self._sign(text, scope).encode(), signature.encode())
            return same and who == self.access_id
        if who not in self.accounts:
            raise StoreRefusal(403, "AccessDenied", "Access denied.", Details=f"{who} is unknown here.")
        try:
            return self.accounts[who].verifies(text.encode(), bytes.fromhex(signature))
        except ValueError:
            return False

    def _sign(self, text: str, scope: str) -> str:
        key = b"GOOG4" + self.secret
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


def _scope(stamp: str) -> str:
    return f"{stamp[:8]}/auto/storage/goog4_request"


def _text(algorithm: str, stamp: str, scope: str, canonical: str) -> str:
    return "\n".join((algorithm, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))


def _canonical(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers)]
    names, payload = ";".join(sorted(headers)), headers.get(PAYLOAD, UNSIGNED)
    return "\n".join((method, _quoted(path), _joined(query), "".join(lines), names, payload))


def _joined(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))


def _quoted(path: str) -> str:
    return quote(path, safe="/~")


def _parameters(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    given = dict(pairs)
    missing = [name for name in _PARAMETERS if not given.get(f"X-Goog-{name}")]
    if missing == list(_PARAMETERS):
        raise StoreRefusal(401, "AuthenticationRequired", "Authentication required.")
    if missing or len(given) != len(pairs):
        raise StoreRefusal(400, "InvalidArgument", f"Query parameters missing or repeated: {missing}")
    if given["X-Goog-Algorithm"] not in (ALGORITHM, RSA):
        raise StoreRefusal(400, "InvalidArgument", "Unknown X-Goog-Algorithm.")
    _check_form(given)
    return given


def _check_form(given: Mapping[str, str]) -> None:
    """Date, life and scope must be of their forms, and agree, before anything is reckoned with them."""
    expires = given["X-Goog-Expires"]
    if not (
        expires.isascii() and expires.isdigit() and len(expires) < _DIGITS and 0 < int(expires) <= _LONGEST
    ):
        raise StoreRefusal(400, "InvalidArgument", f"X-Goog-Expires is a number from 1 to {_LONGEST}.")
    try:
        datetime.strptime(given["X-Goog-Date"], _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise StoreRefusal(400, "InvalidArgument", "X-Goog-Date is malformed.") from error
    parts = given["X-Goog-Credential"].split("/")
    if len(parts) != _SCOPE_PARTS or parts[3:] != ["storage", "goog4_request"]:
        raise StoreRefusal(400, "InvalidArgument", "X-Goog-Credential is malformed.")
    if parts[1] != given["X-Goog-Date"][:8]:
        raise StoreRefusal(400, "InvalidArgument", "X-Goog-Credential and X-Goog-Date are of different days.")


def _check_headers(names: list[str], headers: Mapping[str, str]) -> None:
    if "authorization" in headers:
        raise StoreRefusal(
            400, "InvalidArgument", "Only one auth mechanism allowed; the query and a header both carry one."
        )
    if "host" not in names:
        raise StoreRefusal(400, "InvalidArgument", "The host header must be signed.")
    unsigned = [name for name in headers if name.startswith("x-goog-") and name not in names]
    if unsigned:
        raise StoreRefusal(
            400,
            "MalformedSecurityHeader",
            "Your request has a malformed header.",
            ParameterName=unsigned[0],
            Details="Header was included in the request, but not in signedheaders.",
        )


def _check_clock(given: Mapping[str, str], now: float) -> None:
    begin = datetime.strptime(given["X-Goog-Date"], _STAMP).replace(tzinfo=UTC).timestamp()
    if begin > now + _FUTURE:
        raise StoreRefusal(403, "RequestTimeTooSkewed", "The signature's date lies in the future.")
    if now >= begin + int(given["X-Goog-Expires"]):
        raise StoreRefusal(
            400, "ExpiredToken", "The provided token has expired.", Details=given["X-Goog-Date"]
        )
