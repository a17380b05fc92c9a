"""Tokens that are good once, and the sessions that they give."""

from __future__ import annotations

import pytest

from uploader.report.dashboard.access import (
    MOST_SESSIONS,
    MOST_TOKENS,
    SESSION_SECONDS,
    TOKEN_SECONDS,
    Access,
)

pytestmark = pytest.mark.unit


class Clock:
    """A clock that goes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_good_once() -> None:
    """The second who has it gets nothing, and neither does a guess."""
    access = Access()
    token = access.token()
    cookie = access.enter(token)

    assert access.session(cookie) is not None
    assert access.enter(token) is None
    assert access.enter("") is None
    assert access.session(None) is None
    assert access.session(token) is None


def test_both_end_with_time() -> None:
    """A token after minutes, a session after hours."""
    clock = Clock()
    access = Access(clock)
    early, cookie = access.token(), access.enter(access.token())
    clock.now += TOKEN_SECONDS + 1

    assert access.enter(early) is None
    assert access.session(cookie) is not None
    clock.now += SESSION_SECONDS
    assert access.session(cookie) is None


def test_there_are_never_more_than_so_many() -> None:
    """The oldest ends."""
    access = Access()
    tokens = [access.token() for _ in range(MOST_TOKENS + 1)]
    assert access.enter(tokens[0]) is None
    assert access.enter(tokens[1]) is not None

    cookies = [access.enter(access.token()) for _ in range(MOST_SESSIONS + 1)]
    assert access.session(cookies[0]) is None
    assert access.session(cookies[-1]) is not None


def test_who_leaves_is_out() -> None:
    """And nothing that it holds could be used again."""
    access = Access()
    cookie = access.enter(access.token())
    access.leave(cookie)

    assert access.session(cookie) is None
    assert cookie is not None
    assert cookie not in repr(vars(access))
