"""Made-up deliveries of satellite products: small rasters, and sidecars of the form that the providers write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

SIDE = 64
"""Pixels on each side of a raster, and of a tile of a product."""

_SCALARS = {
    "LINE_OFF": 100.5, "SAMP_OFF": 120.25, "LAT_OFF": 47.3125, "LONG_OFF": 13.0625, "HEIGHT_OFF": 310.0,
    "LINE_SCALE": 101.0, "SAMP_SCALE": 121.0, "LAT_SCALE": 0.0825, "LONG_SCALE": 0.1125, "HEIGHT_SCALE": 501.0,
}  # fmt: skip
_LISTS = ("LINE_NUM_COEFF", "LINE_DEN_COEFF", "SAMP_NUM_COEFF", "SAMP_DEN_COEFF")


def coefficients(name: str) -> list[float]:
    """The twenty numbers of one of the four lists."""
    start = _LISTS.index(name) + 1
    return [round(start / (number + 2), 6) for number in range(20)]


def raster(path: Path, *, seed: int = 1, placed: bool = False, dtype: str = "uint16") -> Path:
    """A raster of noise, with or without a place of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(1, 200, (1, SIDE, SIDE)).astype(dtype)
    place = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_100_000, 10, 10)} if placed else {}
    shape = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 1, "dtype": dtype}
    with rasterio.open(path, "w", **shape, **place) as dataset:
        dataset.write(pixels)
    return path


def rpc_text() -> str:
    """Rational polynomials as `_rpc.txt` and `.rpc` have them."""
    lists = [f"{name}_{n}: {value}" for name in _LISTS for n, value in enumerate(coefficients(name), 1)]
    return "\n".join([*(f"{name}: {value}" for name, value in _SCALARS.items()), *lists]) + "\n"


def rpb() -> str:
    """The same as an `.RPB` of Maxar."""
    names = {
        "LINE_OFF": "lineOffset", "SAMP_OFF": "sampOffset", "LAT_OFF": "latOffset", "LONG_OFF": "longOffset",
        "HEIGHT_OFF": "heightOffset", "LINE_SCALE": "lineScale", "SAMP_SCALE": "sampScale", "LAT_SCALE": "latScale",
        "LONG_SCALE": "longScale", "HEIGHT_SCALE": "heightScale",
    }  # fmt: skip
    lists = dict(zip(_LISTS, ("lineNumCoef", "lineDenCoef", "sampNumCoef", "sampDenCoef"), strict=True))
    body = [f"\t{names[name]} = {value};" for name, value in _SCALARS.items()]
    for name in _LISTS:
        numbers = ",\n\t\t\t".join(map(str, coefficients(name)))
        body.append(f"\t{lists[name]} = (\n\t\t\t{numbers});")
    head = [
        'satId = "WV02";',
        'bandId = "P";',
        'SpecId = "RPC00B";',
        "BEGIN_GROUP = IMAGE",
        "\terrBias = 1.0;",
    ]
    return "\n".join([*head, "\terrRand = 0.5;", *body, "END_GROUP = IMAGE", "END;", ""])


def imd() -> str:
    """Metadata as an `.IMD` of Maxar has it."""
    scene = 'BEGIN_GROUP = IMAGE_1\n\tsatId = "WV02";\n\tcloudCover = 0.012;\nEND_GROUP = IMAGE_1\n'
    return f'version = "28.3";\n{scene}END;\n'


def dimap_rpc() -> str:
    """Rational polynomials as `RPC_….XML` of Airbus, counted from one."""
    lists = "".join(
        f"<{name}_{n}>{value}</{name}_{n}>"
        for name in _LISTS
        for n, value in enumerate(coefficients(name), 1)
    )
    scalars = "".join(f"<{name}>{value}</{name}>" for name, value in _SCALARS.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Dimap_Document><Rational_Function_Model><Global_RFM>'
        f"<Inverse_Model>{lists}</Inverse_Model><RFM_Validity>{scalars}</RFM_Validity>"
        "</Global_RFM></Rational_Function_Model></Dimap_Document>\n"
    )


def dimap(product: str, *, tiles: int = 2, overlap: int = 0) -> str:
    """The index `DIM_….XML` of Airbus for so many tiles by so many."""
    files = "".join(
        f'<Data_File tile_R="{r}" tile_C="{c}"><DATA_FILE_PATH href="IMG_{product}_R{r}C{c}.TIF"/></Data_File>'
        for r in range(1, tiles + 1)
        for c in range(1, tiles + 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Dimap_Document><Dataset_Sources><Source_Identification><Strip_Source>'
        "<MISSION>PHR</MISSION><MISSION_INDEX>1A</MISSION_INDEX><IMAGING_DATE>2020-05-06</IMAGING_DATE>"
        "</Strip_Source></Source_Identification></Dataset_Sources><Raster_Data><Data_Access><Data_Files>"
        f"{files}</Data_Files></Data_Access><Raster_Dimensions><Tile_Set><Regular_Tiling>"
        f'<NTILES_SIZE nrows="{SIDE}" ncols="{SIDE}"/><OVERLAP_ROW>{overlap}</OVERLAP_ROW>'
        f"<OVERLAP_COL>{overlap}</OVERLAP_COL></Regular_Tiling></Tile_Set></Raster_Dimensions></Raster_Data>"
        "</Dimap_Document>\n"
    )


PLEIADES = "PHR1A_P_202005061012345_SEN_1234567101-001"


def pleiades(folder: Path, *, product: str = PLEIADES, tiles: int = 2, overlap: int = 0) -> list[Path]:
    """A tiled product: every tile, and one index and one file of polynomials for them all."""
    found = [
        raster(folder / f"IMG_{product}_R{r}C{c}.TIF", seed=10 * r + c)
        for r in range(1, tiles + 1)
        for c in range(1, tiles + 1)
    ]
    (folder / f"DIM_{product}.XML").write_text(dimap(product, tiles=tiles, overlap=overlap))
    (folder / f"RPC_{product}.XML").write_text(dimap_rpc())
    return found


def spot(folder: Path) -> Path:
    """SPOT 5, level 1A: its place is in `METADATA.DIM` alone."""
    (folder / "METADATA.DIM").parent.mkdir(parents=True, exist_ok=True)
    points = "".join(
        f"<Tie_Point><TIE_POINT_CRS_X>{x}</TIE_POINT_CRS_X><TIE_POINT_CRS_Y>{y}</TIE_POINT_CRS_Y>"
        f"<TIE_POINT_DATA_X>{c}</TIE_POINT_DATA_X><TIE_POINT_DATA_Y>{r}</TIE_POINT_DATA_Y></Tie_Point>"
        for x, y, c, r in ((13.0, 47.0, 1, 1), (13.1, 47.0, SIDE, 1), (13.0, 46.9, 1, SIDE))
    )
    (folder / "METADATA.DIM").write_text(
        '<?xml version="1.0"?>\n<Dimap_Document><Geoposition><Geoposition_Points>'
        f"{points}</Geoposition_Points></Geoposition><Dataset_Sources><Source_Information><Scene_Source>"
        "<MISSION>SPOT</MISSION><MISSION_INDEX>5</MISSION_INDEX><IMAGING_DATE>2006-07-08</IMAGING_DATE>"
        "</Scene_Source></Source_Information></Dataset_Sources></Dimap_Document>\n"
    )
    return raster(folder / "IMAGERY.TIF", dtype="uint8")


def alos(folder: Path) -> Path:
    """ALOS PRISM: a header and polynomials in columns."""
    found = raster(folder / "IMG-ALPSMW220823025-O1B2R_UW.tif", dtype="uint8")
    (folder / "HDR-ALPSMW220823025-O1B2R_UW.txt").write_text('Lbi_Satellite="ALOS"\nLbi_Sensor="PRISM"\n')
    widths = zip(_SCALARS.values(), (6, 5, 8, 9, 5, 6, 5, 8, 9, 5), strict=True)
    scalars = "".join(f"{value:.10f}"[:width].rjust(width) for value, width in widths)
    lists = "".join(f"{value:+.5E}"[:12].rjust(12) for name in _LISTS for value in coefficients(name))
    (folder / "RPC-ALPSMW220823025-O1B2R_UW.txt").write_text(scalars + lists + "\n")
    return found


MAXAR = ("12FEB12034737-M1BS", "052798844010_01_P001")


def maxar(folder: Path, tile: str = "R1C1") -> Path:
    """One tile of a WorldView product, whose metadata is named after the product."""
    head, tail = MAXAR
    found = raster(folder / f"{head}_{tile}-{tail}.TIF", seed=len(tile) + ord(tile[-1]))
    (folder / f"{head}-{tail}.IMD").write_text(imd())
    (folder / f"{head}-{tail}.RPB").write_text(rpb())
    (folder / f"{head}-{tail}.TIL").write_text('bandId = "M";\nnumTiles = 2;\nEND;\n')
    return found


LANDSAT = "LC08_L1TP_193027_20200101_20200113_02_T1"


def landsat(folder: Path, bands: tuple[str, ...] = ("B4",), *, product: str = LANDSAT) -> list[Path]:
    """Bands of a Landsat scene with their `_MTL.txt`."""
    found = [raster(folder / f"{product}_{band}.TIF", seed=n, placed=True) for n, band in enumerate(bands, 1)]
    (folder / f"{product}_MTL.txt").write_text(
        "GROUP = L1_METADATA_FILE\n  GROUP = PRODUCT_METADATA\n"
        '    SPACECRAFT_ID = "LANDSAT_8"\n    DATE_ACQUIRED = 2020-01-01\n  END_GROUP = PRODUCT_METADATA\n'
        "  GROUP = IMAGE_ATTRIBUTES\n    CLOUD_COVER = 12.34\n  END_GROUP = IMAGE_ATTRIBUTES\n"
        "END_GROUP = L1_METADATA_FILE\nEND\n"
    )
    return found


def rapideye(folder: Path, *, polynomials: bool = True) -> Path:
    """RapidEye, basic: metadata and polynomials named after the raster."""
    found = raster(folder / "2010-05-20T112233_RE2_1B-NAC_1234567_12345.tif")
    found.with_name(f"{found.stem}_metadata.xml").write_text(
        '<?xml version="1.0"?>\n<re:EarthObservation version="1.2.1"><gml:using><eop:EarthObservationEquipment>'
        "<eop:platform><eop:Platform><eop:serialIdentifier>RE-2</eop:serialIdentifier></eop:Platform></eop:platform>"
        "</eop:EarthObservationEquipment></gml:using></re:EarthObservation>\n"
    )
    if polynomials:
        found.with_name(f"{found.stem}_rpc.txt").write_text(rpc_text())
    return found


def planet(folder: Path) -> Path:
    """PlanetScope, basic: metadata that GDAL has no reader for, and polynomials named after the raster."""
    found = raster(folder / "20200101_093456_0f22_1B_AnalyticMS.tif")
    found.with_name(f"{found.stem}_metadata.xml").write_text(
        '<?xml version="1.0"?>\n<ps:EarthObservation><gml:using/></ps:EarthObservation>\n'
    )
    (folder / "20200101_093456_0f22_metadata.json").write_text('{"id": "20200101_093456_0f22"}\n')
    found.with_name(f"{found.stem}_RPC.TXT").write_text(rpc_text())
    return found


def geoeye(folder: Path, colour: str = "rgb") -> Path:
    """GeoEye and IKONOS: one metadata file for all bands of an order."""
    found = raster(folder / f"po_312012_{colour}_0000000.tif", placed=True)
    (folder / "po_312012_metadata.txt").write_text(
        "=================\nSource Image Metadata\nSensor: IKONOS-2\nPercent Cloud Cover: 3\n"
    )
    found.with_name(f"{found.stem}_rpc.txt").write_text(rpc_text())
    return found


def kompsat(folder: Path) -> Path:
    """KOMPSAT: `.txt` and `.rpc` named after the raster."""
    found = raster(folder / "MSC_110910203412_12345_09981234PN12_1R.tif")
    found.with_suffix(".txt").write_text(
        "AUX_SATELLITE_NAME\tKOMPSAT-2\nAUX_SATELLITE_SENSOR\tMSC\nAUX_CLOUD_STATUS\t7\n"
    )
    found.with_suffix(".rpc").write_text(rpc_text())
    return found


def eros(folder: Path) -> Path:
    """EROS: metadata of the pass, named up to the first point."""
    found = raster(folder / "MBT1-e2090563.1A.tif")
    (folder / "MBT1-e2090563.pass").write_text("satellite           EROS-B\ncamera              1\n")
    (folder / "MBT1-e2090563.rpc").write_text(rpc_text())
    return found
