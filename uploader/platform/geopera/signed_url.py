"""The only place that takes a signed URL apart. It is a credential: it lives in memory, never in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from uploader.core.secrets import Secret

MOST = 8192
"""Characters of a URL: common servers refuse longer ones."""

MOST_LIFE = 7 * 86_400.0
"""Seconds that a V4 signature can live at most."""

_HOST = re.compile(
    r"(?=.{1,253}$)[0-9a-z_-]{1,63}(\.[0-9a-z_-]{1,63})*\.?|(?=.{2,64}$)[0-9a-f.]*:[0-9a-f:.]*", re.IGNORECASE
)
"""A host's name, or an IPv6 address: with anything else the resolver fails in ways of its own."""


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """Where one file may be PUT, for a while.

    `expires_in` is in seconds from when it was minted, by the signer's clock where its answer told the time;
    None where the URL does not say. `signed_headers` are the names that the signature covers, in lower case.
    """

    secret: Secret
    expires_in: float | None = None
    signed_headers: tuple[str, ...] = ()

    @classmethod
    def parse(cls, url: str, *, now: float, allow_http: bool = False) -> SignedUrl:
        """Check and read `url`; `now` is unix seconds by the signer's clock.

        Raises ValueError, whose text never holds the URL.

        Plain http is for a platform on this very machine.
        """
        _check(url, allow_http=allow_http)
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(url).query)}
        headers = query.get("x-goog-signedheaders") or query.get("x-amz-signedheaders") or ""
        return cls(Secret(url), _expires_in(query, now), tuple(h for h in headers.lower().split(";") if h))

    @property
    def url(self) -> str:
        """The URL itself, with its signature."""
        return self.secret.reveal()

    @property
    def host(self) -> str:
        """The host alone, for people."""
        return urlsplit(self.url).hostname or ""


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


def _expires_in(query: dict[str, str], now: float) -> float | None:
    """Seconds of life left: V4 of Google and Amazon have a date and a span, the older V2 has an end."""
    for vendor in ("x-goog", "x-amz"):
        begin, span = query.get(f"{vendor}-date", ""), query.get(f"{vendor}-expires", "")
        if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", begin) and re.fullmatch(r"[0-9]{1,9}", span):
            try:
                signed = datetime.strptime(begin, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
            except ValueError:
                return None
            # A clock that tells an earlier time than the signature's does not make its life longer.
            return max(0.0, min(signed + int(span) - now, int(span), MOST_LIFE))
    if re.fullmatch(r"[0-9]{9,11}", query.get("expires", "")):
        return max(0.0, min(int(query["expires"]) - now, MOST_LIFE))
    return None
