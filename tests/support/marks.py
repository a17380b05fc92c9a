"""What stands for the intake where nothing but the marks of its folders is asked of it."""

from __future__ import annotations

from collections.abc import Collection


class Marks:
    """Notes which folders were marked, in a list that others may note in, too."""

    def __init__(self, noted: list[object] | None = None) -> None:
        self.noted = [] if noted is None else noted

    async def mark(self, folders: Collection[str]) -> None:
        """See `SettledFiles`."""
        self.noted.append(sorted(folders))
