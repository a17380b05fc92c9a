"""A raster with its sidecars: what the private copies are called, and what makes up their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from uploader.core import naming, product_files
from uploader.core.model import Fingerprint, Sighting
from uploader.core.path_text import lossless, raw

PLAIN = ".tif"
"""The extension of a copy whose own would be an odd one."""

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class GroupFile:
    """One file of a group: where it lies in the drop folder, and what its copy is called."""

    name: bytes
    fingerprint: Fingerprint
    suffix: str
    copy: str
    counts: bool = True
    """It is part of the content: not metadata in words alone."""


def parts(sighting: Sighting) -> list[GroupFile]:
    """The group, raster first."""
    raster = sighting.path.rpartition(b"/")[2]
    own = lossless(naming.split(raster)[1])
    given = [(sidecar.suffix, sidecar.fingerprint.size) for sidecar in sighting.sidecars]
    raster_copy, *copies = copy_names(raster, given)
    counting = product_files.counting(naming.split(raster)[0], [s.suffix for s in sighting.sidecars])
    return [
        GroupFile(raster, sighting.fingerprint, own, raster_copy),
        *(
            GroupFile(sidecar.name, sidecar.fingerprint, sidecar.suffix, copy, sidecar.suffix in counting)
            for sidecar, copy in zip(sighting.sidecars, copies, strict=True)
        ),
    ]


def copy_names(raster: bytes, sidecars: Sequence[tuple[str, int]]) -> list[str]:
    """What the private copies of a raster and of its sidecars are called, the raster's first.

    `sidecars` are suffixes and sizes in bytes. A copy is named by `copy_stem` and what the name adds to the stem; a
    product's sidecar as GDAL looks for it.
    """
    stem, extension = naming.split(raster)
    own = lossless(extension)
    safe = own if not own or _EXTENSION.fullmatch(own) else PLAIN
    copied = naming.copy_stem(raster)
    copies = {
        suffix: f"{copied}{safe}{suffix[len(own) :]}"
        if naming.belongs_to_name(raster, suffix)
        else f"{product_files.UNREAD if product_files.too_long(suffix, size) else ''}{copied}{suffix}"
        for suffix, size in sidecars
        if not product_files.is_product(suffix)
    }
    taken = {f"{copied}{safe}", *copies.values()}
    of_product = [(suffix, size) for suffix, size in sidecars if product_files.is_product(suffix)]
    products = product_files.of_raster(stem) if of_product else ()
    known = {product_files.suffix(found.name): found for found in products}
    for suffix, size in of_product:
        found = known.get(suffix)
        # A tile may have one of its own, and one may lie there in two spellings: the other is not read.
        wanted = (found.copy, found.own) if found else ()
        free = (c for c in wanted[product_files.too_long(suffix, size) :] if c not in taken)
        copies[suffix] = next(free, f"{product_files.UNREAD}{len(taken)}")
        taken.add(copies[suffix])
    return [f"{copied}{safe}", *(copies[suffix] for suffix, _ in sidecars)]


def content(raster: bytes, digests: Sequence[tuple[str, str]]) -> str:
    """The hash of a group from (suffix, digest) of each part that counts, raster first: its own where it is alone.

    Else it is one over what each part adds.
    """
    # Two tiles of sea are the same bytes but not the same content, where only their names tell their places.
    place = naming.placed(raster)
    if len(digests) == 1 and not place:
        return digests[0][1]
    own, *sidecars = digests
    whole = hashlib.sha256()
    # The raster's own suffix is left out: `a.tif` and `a.tiff` with equal bytes are equal content, alone or not.
    for suffix, digest in [("", own[1]), *sorted(sidecars), *([(place, "")] if place else [])]:
        whole.update(raw(suffix) + b"\0" + digest.encode() + b"\0")
    return whole.hexdigest()
