"""Which addresses a key may be sent to: https anywhere, plain http only to this machine."""

from __future__ import annotations

import ipaddress
from typing import Literal
from urllib.parse import SplitResult, urlsplit

AddressKind = Literal["secure", "local", "clear", "none"]


def judge_base_url(text: str) -> AddressKind:
    """Say what a platform's address is: `secure` (https), `local` (http to this machine), `clear` (http), or `none`.

    `none` is what has no host, another scheme, or a part that an address of a platform does not have.
    """
    return judge_endpoint(text) if "?" not in text else "none"


def judge_endpoint(text: str) -> AddressKind:
    """The same of an address that notifications go to, which may have a query."""
    url = split(text)
    if url is None or url.username is not None or url.fragment or not text.isprintable() or " " in text:
        return "none"
    if url.scheme == "https":
        return "secure"
    if url.scheme != "http":
        return "none"
    return "local" if is_loopback(url.hostname or "") else "clear"


def is_proxy(text: str) -> bool:
    """Whether this is the address of an http or https proxy, with its port."""
    url = split(text)
    return url is not None and url.scheme in {"http", "https"} and url.port is not None


def split(text: str) -> SplitResult | None:
    """Take an address apart; None where its host or port is not one."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url if url.hostname else None


def is_loopback(host: str) -> bool:
    """Whether `host` means this machine whatever a name server says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
