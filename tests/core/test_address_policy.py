"""Where a key may be sent."""

from __future__ import annotations

import pytest

from uploader.core.address_policy import is_loopback, is_proxy, judge_base_url, judge_endpoint

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("https://api.example", "secure"),
        ("https://api.example:8443/v1", "secure"),
        ("http://127.0.0.1:9000", "local"),
        ("http://127.8.9.10", "local"),
        ("http://[::1]:9000", "local"),
        ("http://localhost", "local"),
        ("http://localhost.example", "clear"),
        ("http://127.0.0.1.example", "clear"),
        ("http://10.0.0.1", "clear"),
        ("ftp://api.example", "none"),
        ("file:///etc/passwd", "none"),
        ("https://", "none"),
        ("api.example", "none"),
        ("https://user@api.example", "none"),
        ("https://api.example?x=1", "none"),
        ("https://api.example#x", "none"),
        ("https://api.example:99999", "none"),
        ("https://[::1", "none"),
        ("", "none"),
    ],
)
def test_an_address_is_judged(address: str, verdict: str) -> None:
    """Https anywhere, plain http to this machine only, and nothing that an address of a platform does not have."""
    assert judge_base_url(address) == verdict


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("https://chat.example/hook/abc?sig=x", "secure"),
        ("http://127.0.0.1:9/x?y", "local"),
        ("http://chat.example/hook", "clear"),
        ("https://user:word@chat.example/hook", "none"),
        ("https://chat.example/hook#x", "none"),
        ("https://chat.example/a b", "none"),
        ("https://chat.example/\n", "none"),
        ("chat.example", "none"),
    ],
)
def test_a_notification_may_go_to_an_address_with_a_query(address: str, verdict: str) -> None:
    """Chat programs have their secret there; all else is as for the platform."""
    assert judge_endpoint(address) == verdict


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("http://proxy:3128", True),
        ("https://user:word@proxy:3128", True),
        ("http://proxy", False),
        ("socks5://proxy:1080", False),
        ("proxy:3128", False),
        ("http://proxy:port", False),
    ],
)
def test_a_proxy_needs_its_port(address: str, verdict: bool) -> None:
    """A default port would be a guess: programs differ in it."""
    assert is_proxy(address) is verdict


@pytest.mark.parametrize("host", ["LOCALHOST.", "localhost.localdomain", "0.0.0.0", "::", "192.168.0.1", "x"])
def test_what_a_name_server_could_send_elsewhere_is_not_this_machine(host: str) -> None:
    """Only the loopback addresses and the one name that never leaves it."""
    assert not is_loopback(host)
