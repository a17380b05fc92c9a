"""What a live check finds out of a platform; `core.platform_traits` says what the daemon makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from uploader.core.errors import Refused


@dataclass(slots=True)
class LiveFacts:
    """What was found. Times in seconds; None and empty texts where it could not be found out."""

    transfer_method: str = ""
    items_per: str = ""
    """`file` or `session`."""
    initiate_repeated: str = ""
    """`same`: the same session; `another`: a second one, which leaks its reservation; else the refusal."""
    complete_repeated: str = ""
    """`ids`: the items are told again; `none`: they are not; else the refusal."""
    fail_repeated: str = ""
    """`ok`, or the refusal."""
    names_in_items: bool | None = None
    visible_after: float | None = None
    """From the answer of `complete` until both items can be had and listed."""
    box_of_two: str = ""
    """Of an item that was given an asset elsewhere: `first`, its box stays; `union`: it reaches around both."""
    default_view: str = ""
    """The asset that an item shows once it was given a second one: `first`, or `newest`; else the refusal."""
    items_update: str = ""
    """`ok`, or the refusal."""
    properties_updated: str = ""
    """What becomes of properties that `items.update` does not name: `kept`, or `replaced`."""
    asset_key_twice: str = ""
    """`both`: there are two assets then; `replaced`: one; else the refusal."""
    url_life: int | None = None
    token_life: float | None = None
    left: list[str] = field(default_factory=list)
    """Sessions and items that could not be taken away, by kind and id."""

    def any_found(self) -> bool:
        """Whether anything was found out at all."""
        return any(value not in (None, "") for name, value in self.to_json().items() if name != "left")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)


async def or_refusal(ask: Callable[[], Awaitable[str]]) -> str:
    """What is found out, or the clear refusal, as `HTTP 409`."""
    try:
        return await ask()
    except Refused as error:
        return f"HTTP {error.status}"
