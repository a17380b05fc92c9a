"""The effects' tools with as few parts as a test needs; what is asked of the others fails."""

from __future__ import annotations

from typing import Any

from uploader.effects.context import Tools


def few(**parts: Any) -> Tools:
    """Tools that have these parts alone."""
    tools = object.__new__(Tools)
    for name, part in parts.items():
        setattr(tools, name, part)
    return tools
