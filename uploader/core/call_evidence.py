"""What the failure of a call proves: of the call itself, and of the way to the platform."""

from __future__ import annotations

from uploader.core import errors as err

TRANSIENT = frozenset({408, 421, 425, 429, 500, 502, 503, 504})
"""Statuses that say nothing of the call, but of the server, the connection or the moment: it is tried again."""


def is_answer(error: err.UploaderError) -> bool:
    """Whether the platform said no to the call, and not to us: then it is there, and it accepts the key."""
    if not isinstance(error, err.Refused) or error.status in TRANSIENT or error.status in {401, 403}:
        return False
    return 400 <= error.status < 500  # noqa: PLR2004


def is_clear(error: err.UploaderError) -> bool:
    """Whether the failure proves that the call had no effect.

    Nothing was sent, the credential was refused, or the platform itself said no: 4xx and 503, but not a 500, which may
    come after the fact.
    """
    match error:
        case err.Unreachable() | err.CredentialRefused():
            return True
        case err.Refused(status=status):
            return status < 500 or status == 503  # noqa: PLR2004
        case _:
            return False
