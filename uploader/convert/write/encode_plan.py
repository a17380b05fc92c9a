"""How a raster is encoded: its head, its levels, who compresses, and what stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from uploader.convert.pyramid.overview_writer import Pyramid
from uploader.convert.pyramid.pixel_coverage import sizes
from uploader.convert.read.facts import Facts
from uploader.convert.tiff import ifd
from uploader.convert.write import cog_levels
from uploader.convert.write.tile_copy import Image


@dataclass(frozen=True, slots=True)
class EncodePlan:
    """How a raster is encoded. `wanted` says how levels are made.

    `head` is the COG's but for sizes and tiles. GDAL compresses where `wanted` has options for it, else ISA-L does.
    `kept` are the images of the raster itself, if its tiles stay: then levels alone are made.
    """

    head: ifd.Tiff
    wanted: Pyramid
    threads: int
    kept: Sequence[Image] = field(default=())
    levels: Sequence[Facts] = field(init=False)
    """The raster and its levels, from large to small."""

    def __post_init__(self) -> None:
        """Reckon the levels once: whoever follows a plan asks for them again and again."""
        found = sizes(self.facts.width, self.facts.height, self.wanted.tile)
        smaller = [replace(self.facts, width=width, height=height) for width, height in found]
        object.__setattr__(self, "levels", (self.facts, *smaller))

    @property
    def facts(self) -> Facts:
        """The raster."""
        return self.wanted.facts

    @property
    def made(self) -> Mapping[int, Facts]:
        """Those of them whose tiles are made, by their number: 0 is the raster."""
        return {number: level for number, level in enumerate(self.levels) if number or not self.kept}

    def entries(self, number: int) -> Sequence[ifd.Entries]:
        """What the directories of an image and its mask say, but for where the tiles are."""
        size = self.levels[number].width, self.levels[number].height
        image, *masks = (each.entries for each in self.head.directories)
        if number:
            return [
                cog_levels.level_entries(self.head, image, size),
                *(cog_levels.mask_entries(self.head, mask, size) for mask in masks),
            ]
        return [dict(each) | cog_levels.sized(self.head, size) for each in (image, *masks)]
