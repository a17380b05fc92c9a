"""What a platform can do for an upload: the protocol that the rest of the program works with.

Each method makes one attempt and retries nothing; what a failure means is decided in `core/failure_policy`. All of
`Platform` raise Unreachable (surely not sent), NoAnswer (sent, and nobody knows what came of it), Refused (a clear
answer of the platform) or CredentialRefused, and nothing else. `tests/platform/test_contract.py` holds every
implementation to what is said here, the model of the simulator among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from uploader.platform.signed_url import SignedUrl

PAGE = 100
"""Records that a listing is asked for at once; the platform may give fewer."""


class Platform(Protocol):
    """The calls of an upload, and those that read back what it made."""

    calls: Counter[tuple[str, str]]
    """How many calls were sent, by operation and by what came of them: an HTTP status, or the class of an error."""

    @property
    def token_life(self) -> float | None:
        """Seconds that the last token was to live; None before the first call, and where the key is the token."""

    async def initiate(self, body: Mapping[str, object], idempotency_key: str) -> str:
        """Open an upload session, which reserves storage, and give back its id.

        Must not be repeated after NoAnswer without counting its bytes: a second session may come of it. The same body
        is sent as the same bytes.
        """

    async def signed_url(self, upload_id: str, file_name: str, content_type: str) -> SignedUrl:
        """Mint a URL for one file of the session. May be repeated: each is good for the same object."""

    async def progress(self, upload_id: str, bytes_uploaded: int) -> None:
        """Tell how many bytes of the session are stored. Advisory; may be repeated or left out."""

    async def complete(self, upload_id: str) -> tuple[str, ...]:
        """Make the items of the session. May be repeated: on a completed session it does nothing.

        Gives the items' ids as far as they are told, in no order that means anything; a repeat may tell none. Refused
        with 422 while a file is missing.
        """

    async def fail(self, upload_id: str, message: str, step: str) -> None:
        """Give the session up and its storage back. May be repeated, and is never sent after a `complete` in doubt."""

    async def list_items(
        self, project_id: str, *, collection_id: str = "", limit: int = PAGE, offset: int = 0
    ) -> list[dict[str, Any]]:
        """One page of a project's items, in no order that is promised. Changes nothing."""

    async def get_item(self, item_id: str) -> dict[str, Any]:
        """One item. Changes nothing."""

    async def list_assets(self, item_id: str) -> list[dict[str, Any]]:
        """The files of an item. Changes nothing."""

    async def list_profiles(self, item_id: str) -> list[dict[str, Any]]:
        """How an item can be shown, each with `is_default` and `asset_key`; a live check asks. Changes nothing."""

    async def update_item(self, item_id: str, changes: Mapping[str, object]) -> None:
        """Give an item these fields: `datetime`, `properties` and the like. May be repeated."""

    async def list_collections(self, project_id: str) -> list[dict[str, Any]]:
        """The collections of a project, each with `id` and `name`. Changes nothing."""

    async def create_collection(self, project_id: str, name: str) -> str:
        """Make a collection and give back its id. After NoAnswer the listing tells whether it was made."""

    async def delete_item(self, item_id: str) -> None:
        """Delete an item: one that a live check has made, and no other. May be repeated, and is refused then."""


class ObjectStore(Protocol):
    """Where the bytes go."""

    async def put(
        self,
        url: SignedUrl,
        file: int,
        *,
        size: int,
        content_type: str,
        crc32c: int,
        on_bytes: Callable[[int], None],
        stop: Callable[[], bool],
    ) -> bytes | None:
        """Send the open file of `size` bytes from its start, once, and compare what the store says it holds.

        Gives the MD5 that the store told, if it told one. It is compared only where the store tells no CRC-32C.

        The bytes are compared with `crc32c` as they are read: where they differ, the last of them are not sent, so that
        no object comes of it.

        May be repeated, to this URL or another: objects are replaced as a whole, and what was cut off is none.
        `on_bytes` gets the bytes of each chunk that was handed over to the network; `stop` is asked before each.

        Raises StagedDamaged (the file ends early, cannot be read, or holds other bytes), StoreRefused, StoreMismatch
        (sent, but the store holds other bytes), TransferStopped, NoAnswer, Unreachable.
        """
