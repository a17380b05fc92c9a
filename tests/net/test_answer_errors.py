"""Answers of the platform and the store, and the errors they become."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from uploader.core.errors import NoAnswer, Refused, StoreRefused, UploaderError
from uploader.net.answer_errors import (
    HttpAnswer,
    clean,
    parse,
    problem_of,
    refusal,
    retry_after,
    store_refusal,
)

pytestmark = pytest.mark.unit

NOON = 1704110400.0
JSON, PROBLEM, HTML, XML = "application/json", "application/problem+json", "text/html", "application/xml"
FULL = {"type": "about:blank", "title": "No", "status": 422, "detail": "because"}
EXPIRED = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>secret</Message></Error>"


def answer(status: int, body: object = b"", kind: str = JSON, **headers: str) -> HttpAnswer:
    """An answer whose body is bytes, or is made JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpAnswer(status, {"content-type": kind, **named}, raw, NOON)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (answer(422, FULL, PROBLEM), Refused),
        (answer(402, FULL, f"{PROBLEM}; charset=utf-8"), Refused),
        (answer(404, FULL), Refused),
        (answer(403, {"detail": "missing scope"}), Refused),
        (answer(422, {"detail": [{"loc": ["body", "x"], "msg": "m", "type": "t"}]}), Refused),
        (answer(409, {"detail": {"code": "state"}}), Refused),
        (answer(503, FULL, PROBLEM), Refused),
        (answer(503, {"detail": "busy"}), NoAnswer),
        (answer(500, FULL, PROBLEM), NoAnswer),
        (answer(502, b"<html>bad gateway", HTML), NoAnswer),
        (answer(504), NoAnswer),
        (answer(404, b"<html>not here", HTML), NoAnswer),
        (answer(404, b"<!DOCTYPE html>", JSON), NoAnswer),
        (answer(401, b"", ""), NoAnswer),
        (answer(401, b"", "", www_authenticate='Bearer realm="x"'), Refused),
        (answer(401, b"", "", www_authenticate="Basic"), NoAnswer),
        (answer(403, b"", ""), NoAnswer),
        (answer(403, {"message": "Forbidden"}), NoAnswer),
        (answer(403, {"error": {"code": 403}}), NoAnswer),
        (answer(422, b'{"detail": "cut of', JSON), NoAnswer),
        (answer(422, [1], JSON), NoAnswer),
        (answer(422, b"[" * 100_000, JSON), NoAnswer),
        (answer(422, b'{"detail": ' + b"9" * 9999 + b"}", JSON), NoAnswer),
        (answer(422, b'{"title": "x", "status": NaN}', PROBLEM), NoAnswer),
        (answer(422, b"\xff\xfe\xff", PROBLEM), NoAnswer),
        (answer(429), Refused),
        (answer(429, b"<html>slow down", HTML), Refused),
        (answer(301, FULL, PROBLEM, location="https://evil/"), NoAnswer),
        (answer(307), NoAnswer),
        (answer(599, FULL, PROBLEM), NoAnswer),
        (answer(700, FULL, PROBLEM), NoAnswer),
    ],
)
def test_only_the_platforms_own_words_are_a_refusal(
    situation: HttpAnswer, expected: type[UploaderError]
) -> None:
    """A refusal is believed in the platform's format only; what may come from elsewhere is doubtful."""
    assert type(refusal(situation, "op")) is expected


@pytest.mark.parametrize(
    ("situation", "expected", "code"),
    [
        (
            answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>", XML),
            StoreRefused,
            "SignatureDoesNotMatch",
        ),
        (answer(400, EXPIRED, XML), StoreRefused, "ExpiredToken"),
        (answer(503, b"<Error><Code>SlowDown</Code></Error>", XML), StoreRefused, "SlowDown"),
        (answer(403, b"", ""), StoreRefused, ""),
        (answer(403, b"", HTML), StoreRefused, ""),
        (answer(412, b"plain", "text/plain", x_guploader_uploadid="a"), StoreRefused, ""),
        (answer(403, b"{}", JSON, x_amz_request_id="a"), StoreRefused, ""),
        (answer(403, b"<Error/>", ""), StoreRefused, ""),
        (answer(403, b"Blocked by policy", "text/plain"), NoAnswer, ""),
        (answer(413, b"Request too large\n", ""), NoAnswer, ""),
        (answer(403, {"error": "blocked"}), NoAnswer, ""),
        (answer(403, b"<head><title>Denied</title>", "text/plain"), NoAnswer, ""),
        (answer(403, b"<html>denied", HTML, x_amz_cf_id="a"), NoAnswer, ""),
        (answer(403, b"<html>blocked", HTML), NoAnswer, ""),
        (answer(503, b"", ""), NoAnswer, ""),
        (answer(502, b"<html>", HTML), NoAnswer, ""),
        (answer(307, EXPIRED, XML), NoAnswer, ""),
        (answer(400, b"<Code>a b</Code>", XML), StoreRefused, ""),
    ],
)
def test_the_stores_refusals(situation: HttpAnswer, expected: type[UploaderError], code: str) -> None:
    """The store's code is read from its XML, and nothing else of it is told on."""
    error = store_refusal(situation, "The upload")

    assert type(error) is expected
    assert getattr(error, "code", "") == code
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("document", "detail", "fields"),
    [
        (FULL, "because", ()),
        ({"detail": "text"}, "text", ()),
        (
            {"detail": [{"loc": ["body", "transfer_method"], "msg": "bad", "type": "t"}]},
            "body.transfer_method: bad",
            ("transfer_method",),
        ),
        (
            {**FULL, "errors": [{"loc": ["body", "files", 0], "msg": "big", "type": "t"}]},
            "because; body.files.0: big",
            ("files",),
        ),
        ({"detail": [{"loc": "x", "msg": 7}, "odd", {}]}, ": 7; :", ()),
    ],
)
def test_all_shapes_of_a_422(document: dict[str, object], detail: str, fields: tuple[str, ...]) -> None:
    """Text and field names are found in each shape, and an odd shape does not break the reading."""
    problem = problem_of(answer(422, document))

    assert problem is not None
    assert (problem.detail, problem.fields) == (detail, fields)


def test_extension_members_are_kept_unless_secret() -> None:
    """Numbers such as the missing bytes are kept, a `client_secret` is not."""
    problem = problem_of(
        answer(402, {**FULL, "needed_bytes": 7, "client_secret": "pi_1", "note": "gpra_abc"})
    )

    assert problem is not None
    assert problem.extra == {"needed_bytes": 7}


def test_only_problem_json_has_a_title() -> None:
    """A framework's bare 404 can be told from the platform's own by its missing title."""
    bare, own = problem_of(answer(404, {"detail": "Not Found"})), problem_of(answer(404, FULL, PROBLEM))

    assert bare is not None
    assert own is not None
    assert (bare.title, own.title) == ("", "No")


def test_hostile_texts_are_made_harmless() -> None:
    """Control characters, line breaks, secrets and great length do not reach a person's screen."""
    error = refusal(answer(422, {"detail": "a\x1b[31m\r\nb gpra_CANARY " + "x" * 10**5}), "op")

    assert str(error).isprintable()
    assert "CANARY" not in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("99999", 3600.0),
        (format_datetime(datetime.fromtimestamp(NOON + 20, UTC), usegmt=True), 20.0),
        (format_datetime(datetime.fromtimestamp(NOON + 10**6, UTC), usegmt=True), 3600.0),
        (format_datetime(datetime.fromtimestamp(NOON - 20, UTC), usegmt=True), None),
        ("-3", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("9" * 400, None),
        ("Mon, 99 Foo 2024 12:00:00 GMT", None),
        ("1, 2", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    """Both forms are read, within a bound; garbage and the past say nothing."""
    assert retry_after(value, NOON) == seconds


def test_a_date_is_counted_from_the_far_sides_clock() -> None:
    """Our own clock may be wrong by hours: the answer's Date is the measure where there is one."""
    headers = [
        ("Date", format_datetime(datetime.fromtimestamp(NOON, UTC), usegmt=True)),
        ("Retry-After", format_datetime(datetime.fromtimestamp(NOON + 30, UTC), usegmt=True)),
    ]

    assert HttpAnswer.of(503, headers, b"", NOON + 7200).retry_after == 30.0
    assert HttpAnswer.of(503, headers[1:], b"", NOON + 25).retry_after == 5.0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[" * 10**6,
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"1" * 5000,
        b'"\xff"',
    ],
)
def test_whatever_is_not_json_is_one_error(body: bytes) -> None:
    """Depth, size, encoding and syntax all end as ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - the texts are the parser's
        parse(body)


def test_a_document_of_some_depth_is_read() -> None:
    """As deep as no answer that is known."""
    assert parse(b"[" * 60 + b"]" * 60)


def test_clean_keeps_one_line() -> None:
    """A foreign text becomes one line of bounded length."""
    assert clean("a\n\tb\u2028c", 100) == "a b c"
    assert len(clean("x" * 500, 100)) == 100
