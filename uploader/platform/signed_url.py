"""The only place that takes a signed URL apart. It is a credential: it lives in memory, never in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from uploader.core.secrets import Secret

MOST = 8192
"""Characters of a URL: common servers refuse longer ones."""

_EXPIRES = ("x-goog-expires", "x-amz-expires")
_DIGITS = 10

_HOST = re.compile(
    r"(?=.{1,253}$)[0-9a-z_-]{1,63}(\.[0-9a-z_-]{1,63})*\.?|(?=.{2,64}$)[0-9a-f.]*:[0-9a-f:.]*", re.IGNORECASE
)
"""A host's name, or an IPv6 address: with anything else the resolver fails in ways of its own."""


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """Where one file may be PUT, for a while."""

    secret: Secret

    @classmethod
    def parse(cls, url: str, *, allow_http: bool = False) -> SignedUrl:
        """Check `url`; plain http is for a platform on this very machine.

        Raises ValueError, whose text never holds the URL.
        """
        _check(url, allow_http=allow_http)
        return cls(Secret(url))

    @property
    def url(self) -> str:
        """The URL itself, with its signature."""
        return self.secret.reveal()

    @property
    def life(self) -> int | None:
        """For how many seconds it was signed, as V4 signatures say it; None where it does not say."""
        told = parse_qs(urlsplit(self.url).query)
        found = (value for name in told if name.lower() in _EXPIRES for value in told[name])
        return next((int(value) for value in found if value.isdecimal() and len(value) < _DIGITS), None)


def _check(url: str, *, allow_http: bool) -> None:
    if len(url) > MOST or not all("!" <= c <= "~" for c in url):
        raise ValueError("upload_url is too long or has characters that no URL has")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        # Its text would quote the URL.
        raise ValueError("upload_url is not a URL") from None
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http"):
        raise ValueError("upload_url is not https")
    if not _HOST.fullmatch(host or "") or "@" in parts.netloc or "\\" in url:
        raise ValueError("upload_url has no usable host, or credentials before it")
