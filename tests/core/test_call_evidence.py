"""What the failure of a call proves."""

from __future__ import annotations

import pytest

from uploader.core import errors as err
from uploader.core.call_evidence import is_answer, is_clear

pytestmark = pytest.mark.unit


def refused(status: int) -> err.Refused:
    """The platform says no."""
    return err.Refused("no", err.Problem(status))


@pytest.mark.parametrize(
    ("error", "clear", "answer"),
    [
        (err.Unreachable("nobody there"), True, False),
        (err.CredentialRefused("the key is refused"), True, False),
        (err.NoAnswer("cut"), False, False),
        (refused(402), True, True),
        (refused(404), True, True),
        (refused(422), True, True),
        (refused(401), True, False),
        (refused(403), True, False),
        (refused(421), True, False),
        (refused(429), True, False),
        (refused(500), False, False),
        (refused(503), True, False),
    ],
)
def test_what_a_failure_proves(error: err.UploaderError, *, clear: bool, answer: bool) -> None:
    """That the call had no effect; and that the platform is there and accepts the key."""
    assert (is_clear(error), is_answer(error)) == (clear, answer)
