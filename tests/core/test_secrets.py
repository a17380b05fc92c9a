"""The wrapper that does not print, and the cleaner of texts."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable

import pytest

from uploader.core.secrets import Secret, redact

pytestmark = pytest.mark.unit


def test_a_secret_shows_itself_only_when_asked() -> None:
    """No way of turning a secret into text gives it away, but `reveal`."""
    secret = Secret("hunter2")

    texts = [repr(secret), str(secret), f"{secret}", f"{secret:>9}", "%s" % secret, repr([secret])]  # noqa: UP031

    assert not any("hunter2" in text for text in texts)
    assert secret.reveal() == "hunter2"


def test_a_secret_does_not_leave_the_process() -> None:
    """A secret cannot be pickled into a child."""
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))


def test_secrets_compare_by_content() -> None:
    """Equal secrets are equal and hash alike; a secret never equals its text."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


@pytest.mark.parametrize(
    "text",
    [
        "PUT https://storage.googleapis.com/b/o?X-Goog-Signature=CANARY&x=1 failed",
        "location: https://store/o#CANARY",
        "GET /b/o?X-Goog-Date=1&X-Goog-Signature=CANARY HTTP/1.1",
        "Authorization: Bearer CANARY.CANARY.CANARY",
        "authorization=CANARY",
        "the key gpra_CANARY",
        "client_secret=CANARY&grant_type=client_credentials",
        '{"refresh_token": "CANARY", "expires_in": 300}',
        "token eyJhbGciOiJIUzI1NiJ9.CANARY.CANARY",
        "http://user:CANARY@proxy.example:8080/",
        "X-Amz-Credential: CANARY",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    """No kind of credential survives, and cleaning twice changes nothing more."""
    cleaned = redact(text)

    assert "CANARY" not in cleaned
    assert redact(cleaned) == cleaned


@pytest.mark.parametrize(
    "name",
    [
        *(
            "X-Goog-Signature",
            "X-Goog-Credential",
            "X-Goog-Security-Token",
            "X-Amz-Signature",
            "X-Amz-Credential",
        ),
        *("X-Amz-Security-Token", "GoogleAccessId", "Signature", "client_secret", "apikey", "api_key"),
        *("access_token", "refresh_token", "id_token", "password", "Authorization"),
    ],
)
@pytest.mark.parametrize("spelled", [str, str.lower, str.upper])
@pytest.mark.parametrize("around", ["{}=CANARY", '{{"{}": "CANARY"}}', "\xe4 {}: CANARY"])
def test_a_secret_is_known_by_each_of_its_names(
    name: str, spelled: Callable[[str], str], around: str
) -> None:
    """However it is spelled, alone in its line, and beside letters that are not ASCII."""
    assert "CANARY" not in redact(around.format(spelled(name)))


@pytest.mark.parametrize("scheme", ["bearer", "Basic", "APIKEY"])
def test_a_credential_is_known_by_its_scheme(scheme: str) -> None:
    """However the scheme is spelled."""
    assert "CANARY" not in redact(f"{scheme} CANARYCANARY")


@pytest.mark.parametrize(
    "text",
    [
        "op=uploads.initiate status=200 ms=12",
        "no bearer token was sent",
        "https://api.geopera.com/v1/op/items.get answered 404",
        "/srv/drop/a?b.tif",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    """Cleaning does not eat ordinary log lines."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "x",
        "http://",
        "a-",
        "https://h/",
        "password ",
        "bearer ",
        "eyJ",
        "gpra_",
        "a://",
        "://",
        "x@",
        "key=",
        " ",
    ],
)
def test_no_text_makes_cleaning_slow(piece: str) -> None:
    """A hundred thousand characters of anything are cleaned in well under a second."""
    began = time.process_time()
    redact((piece * 100_000)[:100_000])

    assert time.process_time() - began < 1.0
