"""Who calls and what they may: keys, tokens, scopes, roles. The only place that issues or reads a credential."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from uploader.sandbox.database import insert
from uploader.sandbox.errors import OAuthRefusal, Refusal
from uploader.sandbox.options import Key

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from uploader.sandbox.database import Database

KEY_PREFIX = "gpra_"
WRITERS = ("admin", "editor")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a credential stands for. `roles` None: admin of every project of the organization."""

    name: str
    organization: str
    scopes: tuple[str, ...]
    roles: Mapping[str, str] | None
    rate_limit: int | None = None
    """Calls per window that this credential has for itself."""

    def require(self, scope: str, operation: str) -> None:
        """Refuse with 403 unless one of the scopes covers `scope`."""
        if not any(covers(granted, scope) for granted in self.scopes):
            raise Refusal(403, f"missing scope '{scope}' for '{operation}'")

    def role(self, project: str) -> str | None:
        """The role in a project of the organization; None: not a member."""
        return "admin" if self.roles is None else self.roles.get(project)


def covers(granted: str, wanted: str) -> bool:
    """Whether a granted scope covers the wanted one: exact, `*`, `resource:*` or `*:action`.

    Example:
        >>> covers("uploads:*", "uploads:write"), covers("*:read", "items:write")
        (True, False)

    """
    if granted in ("*", wanted):
        return True
    resource, _, action = granted.partition(":")
    wanted_resource, _, wanted_action = wanted.partition(":")
    return resource in ("*", wanted_resource) and action in ("*", wanted_action)


class Keyring:
    """The API keys that are valid now, by secret. Thread-safe; keys may come and go while the server runs.

    There are those of the options, in memory, and those that `api_keys.create` minted, in the database.
    """

    def __init__(self, keys: Iterable[Key], database: Database) -> None:
        self._lock = threading.Lock()
        self._database = database
        self._by_name: dict[str, Key] = {}
        for key in keys:
            self.add(key)

    def add(self, key: Key) -> str:
        """Make a key valid; returns its name."""
        with self._lock:
            name = key.name or f"key-{len(self._by_name) + 1}"
            self._by_name[name] = replace(key, name=name)
        return name

    def revoke(self, secret: str) -> bool:
        """Make a key, and every token that came from it, invalid."""
        with self._lock:
            names = [name for name, key in self._by_name.items() if _same(key.secret, secret)]
            for name in names:
                del self._by_name[name]
        return bool(names)

    def by_secret(self, secret: str) -> Principal | None:
        """The principal of a key."""
        with self._lock:
            found = [key for key in self._by_name.values() if _same(key.secret, secret)]
        return _principal(found[0]) if found else self._minted("digest", digest(secret))

    def by_name(self, name: str) -> Principal | None:
        """The principal that a token names, if its key is still valid."""
        with self._lock:
            key = self._by_name.get(name)
        return _principal(key) if key else self._minted("id", name)

    def _minted(self, column: str, value: str) -> Principal | None:
        query = f"""SELECT * FROM api_key WHERE {column} = ? AND revoked_at IS NULL
                    AND (expires_at IS NULL OR expires_at > ?)"""
        with self._database.read() as tx:
            row = tx.execute(query, (value, time.time())).fetchone()
        if row is None:
            return None
        scopes = tuple(row["permissions"].split())
        return Principal(row["id"], row["organization"], scopes, None, row["rate_limit"])


class Tokens:
    """Access tokens (JWT, HS256) and refresh tokens (opaque, one use each)."""

    def __init__(self, secret: bytes, issuer: str, access_life: float, refresh_life: float) -> None:
        self._secret = secret
        self._issuer = issuer
        self._access_life = access_life
        self._refresh_life = refresh_life

    def grant(self, tx: sqlite3.Connection, who: Principal, now: float) -> dict[str, Any]:
        """The answer of the token endpoint: a new pair of tokens."""
        refresh = secrets.token_urlsafe(48)
        insert(
            tx,
            "refresh_token",
            digest=digest(refresh),
            principal=who.name,
            expires_at=now + self._refresh_life,
        )
        return {
            "access_token": self._access_token(who, now),
            "token_type": "Bearer",
            "expires_in": _whole(self._access_life),
            "refresh_token": refresh,
            "refresh_expires_in": _whole(self._refresh_life),
            "scope": " ".join(who.scopes),
        }

    def spend(self, tx: sqlite3.Connection, refresh: str, now: float) -> str:
        """Use a refresh token up; returns the name of its principal.

        Raises:
            OAuthRefusal: unknown, used before, or too old.

        """
        row = tx.execute("SELECT * FROM refresh_token WHERE digest = ?", (digest(refresh),)).fetchone()
        if row is None or row["used_at"] is not None:
            raise OAuthRefusal("invalid_grant", "the refresh token is unknown or was used before")
        if row["expires_at"] <= now:
            raise OAuthRefusal("invalid_grant", "the refresh token has expired")
        tx.execute("UPDATE refresh_token SET used_at = ? WHERE digest = ?", (now, row["digest"]))
        return str(row["principal"])

    def read(self, token: str, now: float) -> str:
        """The name of the principal of a valid access token.

        Raises:
            Refusal: 401, the token is malformed, forged or too old.

        """
        head, _, signature = token.rpartition(".")
        if not head or not hmac.compare_digest(signature.encode(), self._sign(head).encode()):
            raise unauthorized("the access token is not one of ours")
        claims = json.loads(_unbase64(head.partition(".")[2]))
        if claims["exp"] <= now:
            raise unauthorized("the access token has expired")
        return str(claims["sub"])

    def mac(self, text: str) -> str:
        """A code in hex that only this sandbox can make of the text."""
        return hmac.digest(self._secret, text.encode(), "sha256").hex()

    def _access_token(self, who: Principal, now: float) -> str:
        claims = {
            "iss": self._issuer,
            "sub": who.name,
            "azp": "geopera",
            "iat": now,
            "exp": now + self._access_life,
            "jti": secrets.token_hex(8),
            "scope": " ".join(who.scopes),
            "geopera_principal_id": who.name,
            "geopera_principal_type": "api_key",
            "geopera_org_id": who.organization,
        }
        head = ".".join(
            _base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)
        )
        return f"{head}.{self._sign(head)}"

    def _sign(self, head: str) -> str:
        return _base64(hmac.digest(self._secret, head.encode(), "sha256"))


def authenticate(keyring: Keyring, tokens: Tokens, headers: Mapping[str, str], now: float) -> Principal:
    """Find the caller from `Authorization: Bearer` (a token or a key) or `X-API-Key`.

    Raises:
        Refusal: 401, there is no credential or it is not valid.

    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise unauthorized("the Authorization header must use the Bearer scheme")
    secret = value.strip() or headers.get("x-api-key", "")
    if not secret:
        raise unauthorized("no credentials were sent")
    is_key = not value or secret.startswith(KEY_PREFIX)
    who = keyring.by_secret(secret) if is_key else keyring.by_name(tokens.read(secret, now))
    if who is None:
        raise unauthorized("the API key is unknown or was revoked")
    return who


def unauthorized(detail: str) -> Refusal:
    """A 401 in the platform's format."""
    return Refusal(401, detail, headers={"WWW-Authenticate": 'Bearer realm="public", error="invalid_token"'})


def new_key() -> str:
    """A fresh API key."""
    return KEY_PREFIX + secrets.token_urlsafe(24)


def _principal(key: Key) -> Principal:
    return Principal(key.name, key.organization, key.scopes, key.roles)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def digest(token: str) -> str:
    """What is kept of a secret that must not be kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _whole(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds
