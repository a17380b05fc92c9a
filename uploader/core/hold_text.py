"""What stands in the row of a file or a session that has a hold of its own: two lines, the reason and the way out."""

from __future__ import annotations


def joined(reason: str, way_out: str) -> str:
    """The text for the row."""
    return f"{one_line(reason)}\n{one_line(way_out)}" if way_out else one_line(reason)


def parted(text: str) -> tuple[str, str]:
    """Reason and way out; the latter is empty where an earlier version of the program has kept both in one line."""
    reason, _, way_out = text.partition("\n")
    return reason, way_out


def one_line(text: str) -> str:
    """Both, as one line for a log or a list."""
    return " ".join(text.split())
