"""The only place that knows what must never be seen: a wrapper that does not print, and a cleaner of texts."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "***"
"""What stands in place of a secret."""


class Secret:
    """A text that shows itself only when asked: not in repr, str, format, comparison times or pickles."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give out the text itself. The one word to search for when asking where secrets go."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (s.encode("utf-8", "surrogatepass") for s in (self._text, other.reveal()))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret stays in this process")


_NAMES = {
    "x-": r"x-(?:goog|amz)-(?:signature|credential|security-token)",
    "googleaccessid": "googleaccessid",
    "signature": "signature",
    "client_secret": "client_secret",
    "api": "api_?key",
    "_token": "(?:access|refresh|id)_token",
    "password": "password",
    "authorization": "authorization",
}
"""Names whose values are secrets, by what each has in it."""


def _without_query(url: re.Match[str]) -> str:
    place = re.split("[?#]", url[0], maxsplit=1)[0]
    return url[0] if place == url[0] else f"{place}?{MASK}"


_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    # user:password@ of a URL, then the whole query and fragment: of a signed URL that is the signature.
    (
        ("://",),
        re.compile(r"\b([a-z][a-z0-9+.-]{0,15}://)[^\s/?#@\"'<>]{0,512}@", re.IGNORECASE),
        rf"\1{MASK}@",
    ),
    (("://",), re.compile(r"https?://[^\s\"'<>\\]*", re.IGNORECASE), _without_query),
    (
        ("bearer", "basic", "apikey"),
        re.compile(r"\b(bearer|basic|apikey)\s+(?!realm\b|token\b)[\w.~+/=-]{8,}", re.IGNORECASE),
        rf"\1 {MASK}",
    ),
    (("gpra_",), re.compile(r"gpra_[\w.~+/=-]+"), f"gpra_{MASK}"),
    (("eyj",), re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]*){1,2}"), MASK),
    (
        tuple(_NAMES),
        re.compile(
            rf"(?<![\w-])({'|'.join(_NAMES.values())})([\"']?\s*[=:]\s*[\"']?)(?!\*\*\*|unknown key\b)[^\s\"'&,;<>]+",
            re.IGNORECASE,
        ),
        rf"\1\2{MASK}",
    ),
)
"""What a secret looks like in a text, and what is left of it, in the order of application.

No repetition waits for a sign that may never come: a hostile text must not take quadratic time. Before the expression
stand words in small letters, one of which is in each text that it finds: most lines of a log have none, and to look for
words costs a tenth of what to look for expressions does.
"""


def redact(text: str) -> str:
    """`text` without what could be a credential: URL queries, bearer tokens, keys, signatures.

    Errs on the side of taking out too much. Safe to apply twice.
    """
    small = text.lower()
    for words, pattern, rest in _RULES:
        # Of what is not ASCII expressions know more letters that are the same.
        if not text.isascii() or any(word in small for word in words):
            text = pattern.sub(rest, text)
    return text
