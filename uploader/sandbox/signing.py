"""Signed URLs of the object store: made and checked by the same canonical request, in Google's V4 manner.

The algorithm is GOOG4-HMAC-SHA256; see cloud.google.com/storage/docs/authentication/canonical-requests.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from uploader.sandbox.errors import StoreRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = "GOOG4-HMAC-SHA256"
_STAMP = "%Y%m%dT%H%M%SZ"
_FUTURE = 900.0
"""Seconds that a URL's date may lie ahead of the store's clock."""
_PARAMETERS = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")


@dataclass(frozen=True, slots=True)
class Signer:
    """Mints and verifies. `origin` is what stands before the path, such as `http://127.0.0.1:9000`."""

    secret: bytes
    access_id: str
    origin: str

    def url(self, method: str, path: str, *, at: float, life: float, headers: Mapping[str, str]) -> str:
        """A URL that allows `method` on `path` (not yet quoted) with exactly these headers, host added.

        `at` is unix seconds and cut to whole ones, as the format demands; `life` at least one second.
        """
        signed = {name.lower(): value for name, value in headers.items()}
        signed["host"] = self.origin.partition("://")[2]
        stamp = datetime.fromtimestamp(int(at), UTC).strftime(_STAMP)
        query = {
            "X-Goog-Algorithm": ALGORITHM,
            "X-Goog-Credential": f"{self.access_id}/{self._scope(stamp)}",
            "X-Goog-Date": stamp,
            "X-Goog-Expires": str(max(1, int(life))),
            "X-Goog-SignedHeaders": ";".join(sorted(signed)),
        }
        signature = self._sign(stamp, _canonical(method, path, query, signed))
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
        text = self._text(given["X-Goog-Date"], canonical)
        if not hmac.compare_digest(self._sign(given["X-Goog-Date"], canonical).encode(), signature.encode()):
            raise StoreRefusal(
                403,
                "SignatureDoesNotMatch",
                "Access denied.",
                StringToSign=text,
                CanonicalRequest=canonical,
            )
        _check_clock(given, now)

    def _scope(self, stamp: str) -> str:
        return f"{stamp[:8]}/auto/storage/goog4_request"

    def _text(self, stamp: str, canonical: str) -> str:
        return "\n".join(
            (ALGORITHM, stamp, self._scope(stamp), hashlib.sha256(canonical.encode()).hexdigest())
        )

    def _sign(self, stamp: str, canonical: str) -> str:
        key = b"GOOG4" + self.secret
        for part in self._scope(stamp).split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, self._text(stamp, canonical).encode(), "sha256").hex()


def _canonical(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers)]
    return "\n".join(
        (method, _quoted(path), _joined(query), "".join(lines), ";".join(sorted(headers)), "UNSIGNED-PAYLOAD")
    )


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
    if given["X-Goog-Algorithm"] != ALGORITHM:
        raise StoreRefusal(400, "InvalidArgument", "Unknown X-Goog-Algorithm.")
    return given


def _check_headers(names: list[str], headers: Mapping[str, str]) -> None:
    if "authorization" in headers:
        raise StoreRefusal(
            400, "InvalidArgument", "Only one auth mechanism allowed; the query and a header both carry one."
        )
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
