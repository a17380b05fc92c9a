"""The keys of the configuration that decisions read, under the names that people write.

`uploader.config` reads, checks and fills the sections, and has every default. Decisions take the sections as they are;
these protocols are how they know them without the library that reads them. Sizes in bytes, times in seconds.
"""

from __future__ import annotations

from typing import Protocol


class Folder(Protocol):
    """`[[folders]]`: where the files of a drop folder go, and what becomes of their sources."""

    @property
    def project_id(self) -> str:
        """The project."""

    @property
    def collection_id(self) -> str:
        """The collection; empty: the project's own."""

    @property
    def item_id(self) -> str:
        """The item that gets the files as assets; empty: each file makes one."""

    @property
    def asset_key(self) -> str:
        """The name of the asset; empty: the platform's choice."""

    @property
    def after_upload(self) -> str:
        """`keep`, `archive` or `delete`."""

    @property
    def duplicates(self) -> str:
        """`upload` or `skip`."""

    @property
    def priority(self) -> int:
        """A folder of a higher one goes first."""


class BatchSettings(Protocol):
    """`[batch]`: how files are put together into sessions."""

    @property
    def max_files(self) -> int:
        """Files in a session at most."""

    @property
    def max_bytes(self) -> int:
        """Bytes in a session at most, but for a file that is larger."""

    @property
    def linger_seconds(self) -> float:
        """How long a batch stays open after its last file when no more is expected."""

    @property
    def max_wait_seconds(self) -> float:
        """How long a batch stays open after its first file."""


class TransferSettings(Protocol):
    """`[transfer]`: how bytes leave."""

    @property
    def concurrency(self) -> int:
        """Files that are sent at once; 0: as many as are found to carry most."""

    @property
    def daily_limit(self) -> int:
        """Bytes that may be sent on one day; 0: any number."""


class StagingSettings(Protocol):
    """`[staging]`: where private copies lie."""

    @property
    def max_bytes(self) -> int:
        """What staging holds at most."""


class LimitsSettings(Protocol):
    """`[limits]`: when to give up, and what stays free."""

    @property
    def min_free_bytes(self) -> int:
        """What stays free on the disk of staging."""


class NotifySettings(Protocol):
    """`[notify]`: when a person is told."""

    @property
    def stalled_after(self) -> float:
        """Without a sign of life for so long, a stage that has work stands still."""


class Settings(Protocol):
    """The sections that plans depend on."""

    @property
    def batch(self) -> BatchSettings:
        """`[batch]`."""

    @property
    def transfer(self) -> TransferSettings:
        """`[transfer]`."""

    @property
    def staging(self) -> StagingSettings:
        """`[staging]`."""

    @property
    def limits(self) -> LimitsSettings:
        """`[limits]`."""

    @property
    def notify(self) -> NotifySettings:
        """`[notify]`."""
