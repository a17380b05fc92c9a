"""The table of operations: the only place that says which exist. One module per group, one row per operation."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from uploader.sandbox.operations import (
    api_keys,
    catalog,
    cog,
    collections,
    item_changes,
    items,
    orders,
    products,
    provenance,
    stac_search,
    tiles,
    uploads,
    usage,
)

if TYPE_CHECKING:
    from uploader.sandbox.operations.base import Operation

TABLE = MappingProxyType(
    {
        one.id: one
        for group in (
            uploads,
            items,
            item_changes,
            collections,
            provenance,
            usage,
            catalog,
            orders,
            api_keys,
            stac_search,
            tiles,
            cog,
            products,
        )
        for one in group.OPERATIONS
    }
)


def find(path: str) -> Operation | None:
    """The operation of a path below `/v1/`: `op/uploads.initiate` or `uploads/initiate`."""
    if path.startswith("op/"):
        return TABLE.get(path.removeprefix("op/"))
    return None if "." in path else TABLE.get(path.replace("/", "."))
