"""What an attack would like to get at: a raster, a text, an address, each with somebody watching."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio

from tests.support.canary import Canary

FOREIGN = 201
"""The value of every pixel of the foreign raster; no attack's own pixels have it."""

MARK = "canary-5d1c9f2e"
"""What the foreign text says."""


@dataclass
class Lure:
    """The three of them, and who watches."""

    raster: Path
    text: Path
    listener: socket.socket
    canaries: dict[str, Canary]

    @classmethod
    @contextmanager
    def laid(cls, folder: Path) -> Iterator[Lure]:
        """Lay them out for the length of a block."""
        folder.mkdir(parents=True)
        raster, text = folder / "foreign.tif", folder / "foreign.txt"
        with rasterio.open(
            raster, "w", driver="GTiff", width=300, height=300, count=1, dtype="uint8"
        ) as dataset:
            dataset.write(np.full((1, 300, 300), FOREIGN, np.uint8))
        text.write_text(MARK)
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            listener.setblocking(False)
            canaries = {"the foreign raster": Canary(raster), "the foreign text": Canary(text)}
            yield cls(raster, text, listener, canaries)
            for canary in canaries.values():
                canary.close()

    @property
    def url(self) -> str:
        """The watched address."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def touched(self) -> list[str]:
        """What was touched since the last question."""
        found = [f"{name} was opened" for name, canary in self.canaries.items() if canary.opened()]
        with suppress(BlockingIOError):
            while True:
                self.listener.accept()[0].close()
                found.append("the address was called")
        return found

    def vrt(self, name: str) -> str:
        """A VRT that reads the raster of this name."""
        return (
            '<VRTDataset rasterXSize="300" rasterYSize="300"><VRTRasterBand dataType="Byte" band="1">'
            f'<SimpleSource><SourceFilename relativeToVRT="0">{name}</SourceFilename><SourceBand>1</SourceBand>'
            "</SimpleSource></VRTRasterBand></VRTDataset>"
        )

    def wms(self) -> str:
        """A web map service at the watched address."""
        window = "<UpperLeftX>0</UpperLeftX><UpperLeftY>0</UpperLeftY><LowerRightX>1</LowerRightX>"
        size = "<LowerRightY>1</LowerRightY><SizeX>300</SizeX><SizeY>300</SizeY>"
        return (
            f'<GDAL_WMS><Service name="TMS"><ServerUrl>{self.url}/${{z}}/${{x}}/${{y}}.png</ServerUrl></Service>'
            f"<DataWindow>{window}{size}</DataWindow><BandsCount>1</BandsCount></GDAL_WMS>"
        )
