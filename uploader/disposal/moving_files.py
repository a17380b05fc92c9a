"""Which files of a group go with its raster: what another raster still needs stays, and goes with the last of them."""

from __future__ import annotations

from collections.abc import Sequence

from uploader.core import naming, product_files
from uploader.core.path_text import lossless
from uploader.disposal.hiding import HiddenFile, answers, same
from uploader.system import files as fs


def moving(group: Sequence[HiddenFile], visible: int, hidden: int | None) -> list[HiddenFile]:
    """The raster, which is the first of the group, and the sidecars that go with it.

    `visible` and `hidden` are open folders in which they may lie.
    """
    raster, *sidecars = group
    others = ((name, fs.lstat_regular(name, visible)) for name in naming.shares_stem(raster.name))
    shared = any(seen is not None and not answers(raster, name, seen) for name, seen in others)
    wanted = _wanted(group, visible)
    places = [fd for fd in (hidden, visible) if fd is not None]

    def moves(member: HiddenFile) -> bool:
        suffix = lossless(member.suffix)
        if not product_files.is_product(suffix):
            stays = shared and not naming.belongs_to_name(raster.name, suffix)
            return not stays and (member.needed or _there(member, places))
        return wanted.isdisjoint(product_files.sidecar_keys(member.name)) and _there(member, places)

    return [raster, *filter(moves, sidecars)]


def _there(member: HiddenFile, places: Sequence[int]) -> bool:
    """Whether a sidecar lies where it was, or hidden, as it was uploaded."""
    return any(same(fs.lstat_regular(member.name, fd), member.fingerprint) for fd in places)


def _wanted(group: Sequence[HiddenFile], visible: int) -> frozenset[bytes]:
    """The products that other rasters which lie there are of, by the keys of their sidecars."""
    if not any(product_files.is_product(lossless(member.suffix)) for member in group):
        return frozenset()
    raster = group[0].name
    found = (name for name in fs.listing(visible) if name != raster and naming.is_raster(name))
    return frozenset().union(*(product_files.raster_keys(naming.split(name)[0]) for name in found))
