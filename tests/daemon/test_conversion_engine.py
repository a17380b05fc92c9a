"""Tests of who converts, and who opens archives."""

from __future__ import annotations

import os

import pytest

from uploader.config import Settings
from uploader.convert import Converter
from uploader.daemon.conversion_engine import opener

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


async def test_archives_are_opened_on_this_machine_whoever_converts() -> None:
    """By the converters that are there, within their number; where a cluster converts, by some of our own."""
    async with Converter(3) as local, opener(Settings(), local) as opens:
        assert opens is local
    many = Settings.model_validate({"convert": {"workers": 1000}})
    async with opener(many, object()) as opens:  # type: ignore[arg-type]
        assert isinstance(opens, Converter)
        assert 1 <= opens.workers <= len(os.sched_getaffinity(0))
