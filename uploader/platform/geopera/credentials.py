"""The only place that holds tokens: exchanged for the key, refreshed early, one flight at a time."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode

import anyio

from uploader.core.call_evidence import TRANSIENT
from uploader.core.errors import CredentialRefused, NoAnswer, RemoteError, Unreachable
from uploader.core.secrets import Secret
from uploader.net.answer_errors import HttpAnswer, clean, not_an_answer, parse, refusal
from uploader.net.http_client import HttpClient
from uploader.platform.geopera.key_file import check_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

TOKEN_PATH = "/realms/public/protocol/openid-connect/token"  # noqa: S105 - a path, not a secret
WHAT = "The exchange of the API key for a token"

EARLY = 30.0
"""Seconds before its end that a token is refreshed, or a fifth of its life where that is less."""

ACCESS_LIFE = 300.0
REFRESH_LIFE = 1800.0
"""Seconds that are assumed where the answer does not tell (the quickstart's numbers)."""

MOST_LIFE = 86_400.0
MOST_TOKEN = 16_384
"""Characters: what is longer would not fit into a header."""

_NEW_KEY = (
    "Ask an administrator of the organization for a new key (api_keys.create) with the scopes uploads:write "
    "and items:read, and put it in the old one's place. It is picked up by itself."
)


@dataclass(frozen=True, slots=True)
class _Tokens:
    """One answer of the token endpoint. Times on the monotonic clock."""

    access: Secret
    renew_at: float
    refresh: Secret | None = None
    refresh_until: float = 0.0
    life: float | None = None
    """Seconds, as they were told; None for what is no token."""


class Credentials:
    """Gives out the bearer for the next call.

    `auth` is `client_credentials` (the key is exchanged for a token that lives minutes) or `api_key` (the key
    itself is the bearer). `read_key` is called anew at every exchange, so that a changed key is picked up.

    However many callers wait, one flight is under way; all share its outcome, also a failure. A flight is
    shielded: a cancelled caller must not lose the refresh token that the platform has just rotated. So a
    cancellation may last as long as `timeout` seconds.
    """

    def __init__(
        self,
        wire: HttpClient,
        *,
        auth: str,
        client_id: str,
        read_key: Callable[[], str],
        timeout: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire = wire
        self._exchanges = auth == "client_credentials"
        self._client_id = client_id
        self._read_key = read_key
        self._timeout = timeout
        self._clock = clock
        self._lock = anyio.Lock()
        self._tokens: _Tokens | None = None
        self._access_refused = False
        self._flights = 0
        self._failure: RemoteError | None = None

    @property
    def life(self) -> float | None:
        """Seconds that the last token was to live; None before there was one, and for a key that is its own token."""
        return self._tokens.life if self._tokens else None

    async def token(self) -> Secret:
        """A bearer that should be accepted now.

        Raises CredentialRefused (no key, or the platform does not take it), Refused (429, or a 503 in the
        platform's format), NoAnswer or Unreachable, all about the token endpoint.
        """
        if (access := self._usable()) is not None:
            return access
        seen = self._flights
        async with self._lock:
            if (access := self._usable()) is not None:
                return access
            if self._flights != seen and self._failure is not None:
                raise self._failure.with_traceback(None)
            with anyio.CancelScope(shield=True):
                tokens = self._tokens = await self._fly()
            return tokens.access

    async def refused(self, token: Secret, *, fresh: bool = False) -> None:
        """Take note of a 401 for `token`; the next `token()` asks for another.

        With `fresh`, the token had just been given out anew: then the refresh token is dropped too, and the
        key is read and exchanged again. A token that is no longer in use changes nothing.
        """
        if self._tokens is None or self._tokens.access != token:
            return
        if fresh or self._tokens.refresh is None:
            self._tokens = None
        else:
            self._access_refused = True

    def _usable(self) -> Secret | None:
        tokens = self._tokens
        if tokens is None or self._access_refused or self._clock() >= tokens.renew_at:
            return None
        return tokens.access

    async def _fly(self) -> _Tokens:
        """One flight, whose failure is there for those who wait behind it."""
        try:
            self._failure = None
            tokens = await self._renew() if self._exchanges else self._key_itself()
        except RemoteError as error:
            self._failure = error
            raise
        else:
            self._access_refused = False
            return tokens
        finally:
            self._flights += 1

    def _key_itself(self) -> _Tokens:
        return _Tokens(Secret(check_key(self._read_key(), "the key")), renew_at=float("inf"))

    async def _renew(self) -> _Tokens:
        """New tokens, by the refresh token while it lives, else by the key."""
        old = self._tokens
        if old is not None and old.refresh is not None and self._clock() < old.refresh_until:
            # Out of hand before it is sent: after a doubtful answer it may be used up, and sent twice it
            # looks stolen.
            self._tokens = None
            form = {
                "grant_type": "refresh_token",
                "refresh_token": old.refresh.reveal(),
                "client_id": self._client_id,
            }
            try:
                return await self._grant(form)
            except Unreachable:
                self._tokens = old
                raise
            except CredentialRefused:
                logger.debug("refresh token refused, exchanging the key")
        key = check_key(self._read_key(), "the key")
        form = {"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": key}
        return await self._grant(form)

    async def _grant(self, form: Mapping[str, str]) -> _Tokens:
        began = self._clock()
        answer = await self._wire.post(
            TOKEN_PATH,
            urlencode(form).encode("ascii"),
            {"Content-Type": "application/x-www-form-urlencoded"},
            what=WHAT,
            deadline=self._timeout,
        )
        logger.debug(
            "op=token grant=%s status=%d ms=%d", form["grant_type"], answer.status, _ms(self._clock() - began)
        )
        if not answer.ok:
            _refuse(answer)
        return _read_tokens(answer, began)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _refuse(answer: HttpAnswer) -> NoReturn:
    """Raise what a token endpoint's refusal means: any clear 4xx that is not transient is about the credential."""
    document = _document(answer)
    code = document.get("error")
    error = refusal(answer, WHAT)
    oauth = (
        isinstance(code, str) and HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    )
    if answer.status in TRANSIENT or (isinstance(error, NoAnswer) and not oauth):
        raise error
    words = clean(": ".join(w for w in (code, document.get("error_description")) if isinstance(w, str)), 200)
    said = f"HTTP {answer.status}{f', {words}' if words else ''}"
    raise CredentialRefused(f"The platform does not accept the API key ({said}).", _NEW_KEY) from error


def _document(answer: HttpAnswer) -> dict[str, Any]:
    try:
        document = parse(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _read_tokens(answer: HttpAnswer, began: float) -> _Tokens:
    """The tokens of a 2xx, their lives counted from before the request was sent."""
    document = _document(answer)
    access = _token(document.get("access_token"))
    if access is None:
        raise not_an_answer(answer, WHAT)
    life = _seconds(document.get("expires_in"), ACCESS_LIFE)
    return _Tokens(
        access=access,
        renew_at=began + life - min(EARLY, life / 5),
        refresh=_token(document.get("refresh_token")),
        refresh_until=began + _seconds(document.get("refresh_expires_in"), REFRESH_LIFE),
        life=life,
    )


def _token(value: object) -> Secret | None:
    """A token that fits into a header; an answer with another one is not the platform's."""
    good = isinstance(value, str) and 0 < len(value) <= MOST_TOKEN and all("!" <= c <= "~" for c in value)
    return Secret(value) if good and isinstance(value, str) else None


def _seconds(value: object, otherwise: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return otherwise
    return float(min(value, MOST_LIFE))  # in this order: an integer may be too large for a float
