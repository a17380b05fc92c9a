"""Numbers of things in sentences for people."""

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """`1 file`, `2 files`: a number and its noun, which takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
