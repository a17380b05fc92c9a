"""The tiles of an image and its levels as GDAL compresses them: slower than ISA-L, and smaller where effort pays."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from uploader.convert.pyramid.overview_writer import created, write
from uploader.convert.read.block_reader import Block
from uploader.convert.tiff import ifd
from uploader.convert.write.encode_plan import EncodePlan
from uploader.convert.write.tile_copy import Image

_PLACES = (ifd.TILE_OFFSETS, ifd.TILE_BYTES)


class GdalTiles:
    """Keeps each image, and its mask, in a TIFF that is as large as its tiles; GDAL has threads of its own."""

    def __init__(self, plan: EncodePlan, folder: Path) -> None:
        self._plan = plan
        self._stack = ExitStack()
        self._paths = {number: folder / f"image-{number}.tif" for number in plan.made}
        self._files = {
            number: self._stack.enter_context(created(self._paths[number], level, plan.wanted))
            for number, level in plan.made.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add(self, number: int, rows: Block) -> None:
        """One row of tiles of the raster (0) or a level. Raises what GDAL says."""
        write(self._files[number], rows, self._plan.wanted)

    def images(self) -> list[Image]:
        """All images, from large to small, masks behind their images; no more rows come. Raises Malformed."""
        self._stack.close()
        return [image for number in self._paths for image in self._images(number)]

    def _images(self, number: int) -> list[Image]:
        path, said = self._paths[number], self._plan.entries(number)
        written = ifd.of(path, ifd.read)
        if written is None or written.order != self._plan.head.order or len(said) != len(written.directories):
            raise ifd.Malformed("a level of another kind")
        return [
            Image(path, ifd.Directory(dict(entries) | {tag: found.entries[tag] for tag in _PLACES}))
            for entries, found in zip(said, written.directories, strict=True)
        ]
