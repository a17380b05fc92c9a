"""A raster with its sidecars: what the private copies are called, and what makes up their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from uploader.core import names
from uploader.core.model import Fingerprint, Sighting
from uploader.core.text import lossless, raw

PLAIN = ".tif"
"""The extension of a copy whose own would be an odd one."""

_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a group: where it lies in the drop folder, and what its copy is called."""

    name: bytes
    fingerprint: Fingerprint
    suffix: str
    copy: str


def parts(sighting: Sighting) -> list[Part]:
    """The group, raster first. A copy is named `source` and what the name adds to the stem."""
    raster = sighting.path.rpartition(b"/")[2]
    own = lossless(names.split(raster)[1])
    safe = own if not own or _EXTENSION.fullmatch(own) else PLAIN
    stem = names.copy_stem(raster)
    group = [Part(raster, sighting.fingerprint, own, f"{stem}{safe}")]
    for sidecar in sighting.sidecars:
        rest = sidecar.suffix
        if names.belongs_to_name(raster, rest):
            rest = safe + rest[len(own) :]
        group.append(Part(sidecar.name, sidecar.fingerprint, sidecar.suffix, f"{stem}{rest}"))
    return group


def content(raster: bytes, digests: Sequence[tuple[str, str]]) -> str:
    """The hash of a group from (suffix, digest) of each part, raster first: its own where it is alone.

    Else it is one over what each part adds.
    """
    # Two tiles of sea are the same bytes but not the same content, where only their names tell their places.
    stem = names.copy_stem(raster)
    placed = [] if stem == names.COPY else [(stem, "")]
    if len(digests) == 1 and not placed:
        return digests[0][1]
    own, *sidecars = digests
    whole = hashlib.sha256()
    # The raster's own suffix is left out: `a.tif` and `a.tiff` with equal bytes are equal content, alone or not.
    for suffix, digest in [("", own[1]), *sorted(sidecars), *placed]:
        whole.update(raw(suffix) + b"\0" + digest.encode() + b"\0")
    return whole.hexdigest()
