"""What the files of a source tell by their own heads, where GDAL's view of them says too little."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from uploader.convert.read.facts import NODATA, Facts
from uploader.convert.tiff import ifd
from uploader.convert.write import head_comparison, restored_tags
from uploader.convert.write.differences import Differences
from uploader.core.errors import ConversionFailed

_PAM_NODATA = re.compile(rb"<NoDataValue[^>]*>\s*(-?\d+)\s*</NoDataValue>")
_DIGITS = re.compile(rb"\s*(-?\d+)\s*\0?$")
_FLOAT_DIGITS = 1 << 53
_STACKED = re.compile(rb"ImageJ=.*?^images=(\d{1,9})\s*$", re.DOTALL | re.MULTILINE)
"""How ImageJ tells of pictures that lie behind the only one that the head has."""


def structure(source: Path) -> ifd.Tiff | None:
    """How a TIFF is built; None for other files, and for odd ones."""
    return _read(source, ifd.read, *_version(source))


def first_image(source: Path) -> ifd.Tiff | None:
    """The head of a TIFF's first image as far as it can be read; None for other files."""
    return _read(source, ifd.first, *_version(source))


@lru_cache(maxsize=8)
def _read(source: Path, reading: Callable[[int], ifd.Tiff], *_: int) -> ifd.Tiff | None:
    """The head of a source, which each step asks for and nobody changes: it is read once."""
    return ifd.of(source, reading)


def _version(path: Path) -> tuple[int, ...]:
    """What tells one file from the next at its place."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def compare_heads(source: Path, result: Path, facts: Facts) -> Differences:
    """What the heads of a raster and its COG say otherwise. Raises ConversionFailed for a head that no COG may have."""
    head = ifd.of(result, ifd.read)
    reason = "an unusual structure" if head is None else head_comparison.unsound(head)
    if head is None or reason:
        raise ConversionFailed(f"The head of the result has {reason}.")
    before = first_image(source)
    if before is None:
        return Differences()
    return head_comparison.compare(
        before,
        head,
        texts_beside=restored_tags.has_pam(facts),
        colours_beside=restored_tags.palette_beside(before, facts),
    )


def sound(source: Path) -> bool:
    """Whether the head of a file is one that a result may have."""
    head = structure(source)
    return head is not None and not head_comparison.unsound(head)


def indexed(source: Path) -> bool:
    """Whether the head of a TIFF says that its values are indexes of colours."""
    head = first_image(source)
    return head is not None and head.number(head.directories[0], ifd.PHOTOMETRIC) == head_comparison.PALETTE


def pages(source: Path, facts: Facts) -> int:
    """How many pages there are, also those that GDAL does not count: of a stack of ImageJ's with a single head."""
    head = structure(source)
    image = head.directories[0] if head and len(head.directories) == 1 else None
    told = image.entries.get(ifd.DESCRIPTION) if image else None
    stacked = _STACKED.match(told.data) if told else None
    count = int(stacked.group(1)) if stacked else 0
    return max(facts.pages, count) if count * facts.raw_bytes <= facts.file_bytes else facts.pages


def full_page(source: Path) -> int:
    """The number of the first whole page of a TIFF that begins with a thumbnail, counted from 1; 0 for others."""
    head = structure(source)
    if head is None:
        return 0
    kinds = [head.number(each, ifd.SUBFILE) & (ifd.REDUCED | ifd.MASK) for each in head.directories]
    return kinds.index(0) + 1 if kinds[:1] == [ifd.REDUCED] and 0 in kinds else 0


def soft_mask_possible(source: Path, facts: Facts) -> bool:
    """Whether a mask of the raster may have more than a bit for each pixel, as far as the heads of its files tell."""
    beside = [source.with_name(name) for name in facts.sidecars if name.lower().endswith(".msk")]
    external = [(head, head.directories[0]) for path in beside if (head := first_image(path))]
    head = structure(source)
    if head is None and facts.driver == "GTiff":
        return True
    inside = (
        [(head, each) for each in head.directories if head.number(each, ifd.SUBFILE) & ifd.MASK]
        if head
        else []
    )
    return any(of.number(image, ifd.BITS, 1) > 1 for of, image in (*external, *inside))


def wide_nodata(source: Path, facts: Facts) -> str:
    """The nodata value of 64-bit integers with all its digits, which the view of a raster that is read lacks.

    Empty where there is none. Whether it is the right one is seen when the masks are compared.
    """
    band = next((band for band in facts.bands if band.mask & NODATA and "int64" in band.dtype), None)
    if band is None:
        return ""
    if band.nodata is not None and abs(band.nodata) < _FLOAT_DIGITS:
        return str(int(band.nodata))
    beside = next((name for name in facts.sidecars if name.lower().endswith(".aux.xml")), None)
    found = _PAM_NODATA.search(source.with_name(beside).read_bytes()) if beside else None
    head = first_image(source)
    if found is None and head is not None and ifd.NODATA in head.directories[0].entries:
        found = _DIGITS.match(head.directories[0].entries[ifd.NODATA].data)
    return found.group(1).decode() if found else ""
