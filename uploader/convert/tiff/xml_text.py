"""Texts in XML and back. What Python has for it loads its HTTP client, which takes a child longer than its work."""

from __future__ import annotations

import re

_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_VALUE = _TEXT | str.maketrans({'"': "&quot;"})
_WHITE = str.maketrans({"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
_ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
_ENTITY = re.compile(f"&({'|'.join(_ENTITIES)});")


def escaped(text: str) -> str:
    """As it stands between two tags."""
    return text.translate(_TEXT)


def escaped_value(text: str) -> str:
    """As it stands between quotation marks, or elsewhere."""
    return text.translate(_VALUE)


def quoted(text: str) -> str:
    """As an attribute with its quotation marks, of which a parser returns white space as it is."""
    return f'"{text.translate(_VALUE | _WHITE)}"'


def unescaped(text: str) -> str:
    """The inverse of all of these, but for the white space."""
    return _ENTITY.sub(lambda found: _ENTITIES[found.group(1)], text)
