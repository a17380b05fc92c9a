"""Text of names, and names of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.core.path_text import full_path, is_text, lossless, raw, shown

pytestmark = pytest.mark.unit


@given(st.binary())
def test_every_name_comes_back(name: bytes) -> None:
    """Whatever its bytes are."""
    assert raw(lossless(name)) == name


@pytest.mark.parametrize(
    ("folder", "whole"), [("/d", b"/d/a\xff.tif"), ("/d/", b"/d/a\xff.tif"), ("/", b"/a\xff.tif")]
)
def test_a_file_lies_below_its_folder(folder: str, whole: bytes) -> None:
    """Whether that is written with a slash at its end or not."""
    assert full_path(folder, b"a\xff.tif") == whole


@given(st.one_of(st.binary(), st.text(st.characters(codec=None))))
def test_what_is_shown_can_be_stored_and_sent(name: bytes | str) -> None:
    """SQLite, JSON and terminals take it; and showing it twice changes nothing."""
    text = shown(name)

    assert text.encode().decode() == text
    assert shown(text) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"plain.tif", "plain.tif"),
        ("größe.tif".encode(), "größe.tif"),
        (b"gr\xf6\xdfe.tif", r"gr\xf6\xdfe.tif"),
        ("\udcff", r"\xff"),
        ("\ud800", r"\ud800"),
        (b"\n", "\n"),
    ],
)
def test_only_what_is_no_text_is_escaped(name: bytes | str, text: str) -> None:
    """Control characters are for whoever prints."""
    assert shown(name) == text
    assert is_text(name) == (text == (lossless(name) if isinstance(name, bytes) else name))
