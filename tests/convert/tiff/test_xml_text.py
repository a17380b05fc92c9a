"""Texts in XML and back."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from uploader.convert.tiff.xml_text import escaped, escaped_value, quoted, unescaped

pytestmark = pytest.mark.unit

_TEXTS = (
    "",
    "plain",
    "a < b & c > d",
    "&lt; &amp;quot; &#10;",
    "\"double\" and 'single'",
    "tab\tnew\nline",
    "é \udce9",
)


@pytest.mark.parametrize("text", _TEXTS)
def test_a_parser_reads_what_was_meant(text: str) -> None:
    """Between tags and in attributes any XML parser sees the text itself."""
    shown = text.replace("\udce9", "?")
    read = ET.fromstring(f'<a b={quoted(shown)} c="{escaped_value("x")}">{escaped(shown)}</a>')

    assert (read.get("b"), read.text or "") == (shown, shown)


@pytest.mark.parametrize("text", _TEXTS)
def test_text_comes_back(text: str) -> None:
    """What was escaped is had back, surrogates of odd bytes among it."""
    assert unescaped(escaped(text)) == text
    assert unescaped(escaped_value(text)) == text
    assert unescaped("&apos;&quot;&#10;&foo;") == "'\"&#10;&foo;"
