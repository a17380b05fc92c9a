"""Tests of what uploads cost in sessions and calls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from uploader.core.model import SessionKey
from uploader.core.upload_calls import UploadCalls

pytestmark = pytest.mark.unit

KEY = SessionKey("p-1", "", "", "", categorical=False)
BAND = replace(KEY, item_id="scene", asset_key="B04")


@dataclass(frozen=True)
class Batch:
    """`[batch]` with small numbers."""

    max_files: int = 100
    max_bytes: int = 1000
    linger_seconds: float = 0
    max_wait_seconds: float = 0


def counted(
    files: list[tuple[SessionKey, int]], batch: Batch = Batch(), *, looked_at: bool = False
) -> tuple[int, int]:
    """Sessions and calls of these files; what each adds is all there is."""
    calls = UploadCalls(batch)
    assert sum(calls.add(key, size, looked_at=looked_at) for key, size in files) == calls.calls
    return calls.sessions, calls.calls


def test_a_batch_takes_three_calls_more_than_files() -> None:
    """After the first session, which has two files, to learn how items are made."""
    assert counted([(KEY, 1)] * 2) == (1, 5)
    assert counted([(KEY, 1)] * 102) == (2, 5 + 103)


def test_a_single_file_is_looked_at_only_where_its_source_is_to_go() -> None:
    """Its answer names its only item."""
    assert counted([(KEY, 1)]) == (1, 3)
    assert counted([(KEY, 1)], looked_at=True) == (1, 4)
    assert counted([(KEY, 1)] * 2, looked_at=True) == (1, 5)


def test_thirteen_bands_are_thirteen_sessions() -> None:
    """An asset of an item never shares one."""
    assert counted([(BAND, 1)] * 13) == (13, 39)


def test_a_session_is_full_by_its_bytes_too() -> None:
    """A file beyond all of them goes alone."""
    assert counted([(KEY, 600), (KEY, 600), (KEY, 2000)]) == (3, 9)


def test_keys_do_not_share_sessions() -> None:
    """Classes apart from images, one project apart from another."""
    other = replace(KEY, categorical=True)

    assert counted([(KEY, 1), (other, 1), (KEY, 1), (other, 1)]) == (2, 10)


def test_the_window_says_how_long_calls_take() -> None:
    """Six hundred a minute."""
    calls = UploadCalls(Batch())
    calls.calls = 1200
    calls.describe()

    assert calls.window_seconds == pytest.approx(120.2)
