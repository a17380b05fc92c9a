"""Which signed URLs are not taken, and that none shows."""

from __future__ import annotations

import traceback

import pytest

from uploader.platform.signed_url import SignedUrl

pytestmark = pytest.mark.unit

GOOGLE = "https://s.example/o?X-Goog-Date=20240101T120000Z&X-Goog-Expires=900&X-Goog-SignedHeaders=content-type%3Bhost"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s.example/CANARY",
        "http://s.example/CANARY",
        "ftp://s.example/CANARY",
        "file:///etc/CANARY",
        "https:///CANARY",
        "https://user:pw@s.example/CANARY",
        "https://s.example:99999/CANARY",
        "https://[s.example/CANARY",
        "https://s.example/CAN ARY",
        "https://s.example/CANARY\r\nX: y",
        "https://s.example/CANARY\x00",
        "https://exämple/CANARY",
        "https://a..b/CANARY",
        "https://./CANARY",
        "https://%41/CANARY",
        f"https://{'a' * 64}.example/CANARY",
        f"https://{'a.' * 127}example/CANARY",
        "https://s.example\\@evil/CANARY",
        "https://s.example/CANARY" + "x" * 9000,
    ],
)
def test_hostile_urls_are_refused_without_being_shown(url: str) -> None:
    """What is not a plain https URL is not taken, and the error holds no part of it."""
    with pytest.raises(ValueError, match="upload_url") as caught:
        SignedUrl.parse(url)

    assert "CANARY" not in "".join(traceback.format_exception(caught.value)).replace('"https', "")


@pytest.mark.parametrize(
    "host", ["s.example", "S_1.example.", "10.0.0.1:9000", "[::1]:9000", "xn--exmple-cua.de"]
)
def test_hosts_that_can_be_asked_for_are_taken(host: str) -> None:
    """Names, addresses, ports."""
    assert SignedUrl.parse(f"https://{host}/o").url == f"https://{host}/o"


def test_plain_http_is_for_a_platform_on_this_machine() -> None:
    """A loopback platform may mint http URLs."""
    url = "http://127.0.0.1:1/o"

    assert SignedUrl.parse(url, allow_http=True).url == url


def test_a_signed_url_does_not_show() -> None:
    """Neither repr nor str of it hold the URL."""
    url = SignedUrl.parse(GOOGLE)

    assert "X-Goog" not in f"{url!r} {url}"
    assert url.url == GOOGLE


@pytest.mark.parametrize(
    ("query", "life"),
    [
        ("X-Goog-Expires=300&X-Goog-Date=1", 300),
        ("x-amz-expires=77", 77),
        ("X-Goog-Expires=99999999999", None),
        ("X-Goog-Expires=soon", None),
        ("Expires=1700000000", None),
        ("", None),
    ],
)
def test_its_life_is_what_its_signature_says(query: str, life: int | None) -> None:
    """In seconds; an end in unix seconds, of older signatures, is none."""
    assert SignedUrl.parse(f"https://store.example/a?{query}").life == life
