"""Satellite products whose sidecars are named by product, not by the raster's stem: kept, or the loss is named."""

from __future__ import annotations

from pathlib import Path

import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from tests.judge.rights import either, imagery, rpc, warned
from tests.support.kinds import kind, put, some

_PLACE = {"crs": CRS.from_epsg(32633), "transform": from_origin(4e5, 5e6, 5, 5)}
_NOWHERE = {"crs": None, "transform": None}
_NAMED = either(warned("sidecar"), warned("imd"))
_OFFSETS = {
    "LONG_SCALE": 0.07, "LONG_OFF": 13.25, "LAT_SCALE": 0.05, "LAT_OFF": 47.5, "HEIGHT_SCALE": 500, "HEIGHT_OFF": 320,
    "SAMP_SCALE": 701, "SAMP_OFF": 700, "LINE_SCALE": 513, "LINE_OFF": 512.5,
}  # fmt: skip


def _raster(folder: Path, name: str, place: dict) -> Path:
    return put(folder, some(1, "u2"), **place).rename(folder / name)


def _elements(**values: object) -> str:
    return "".join(f"<{key}>{value}</{key}>" for key, value in values.items())


def _model() -> str:
    """Rational polynomials as DIMAP has them."""
    parts = ("SAMP_NUM", "SAMP_DEN", "LINE_NUM", "LINE_DEN")
    inverse = _elements(**{f"{part}_COEFF_{k}": f"{1 / k:.12E}" for part in parts for k in range(1, 21)})
    inner = f"<Inverse_Model>{inverse}</Inverse_Model><RFM_Validity>{_elements(**_OFFSETS)}</RFM_Validity>"
    return f"<Rational_Function_Model><Global_RFM>{inner}</Global_RFM></Rational_Function_Model>"


def _dimap(folder: Path, tile: str) -> Path:
    strip = _elements(MISSION="PHR", MISSION_INDEX="1A", IMAGING_DATE="2013-09-23", IMAGING_TIME="11:05:18.3")
    source = f"<Source_Identification><Strip_Source>{strip}</Strip_Source></Source_Identification>"
    regular = _elements(NTILES_SIZE="") + '<NTILES_SIZE nrows="120" ncols="140"/>'
    tiles = f"<Raster_Data><Raster_Dimensions><Tile_Set><Regular_Tiling>{regular}</Regular_Tiling></Tile_Set>"
    body = f"<Dataset_Sources>{source}</Dataset_Sources>{tiles}</Raster_Dimensions></Raster_Data>"
    for prefix, text in (("DIM", body), ("RPC", _model())):
        path = folder / f"{prefix}_PHR1A_P_201309231105183_SEN.XML"
        path.write_text(f"<Dimap_Document>{text}</Dimap_Document>")
    return _raster(folder, f"IMG_PHR1A_P_201309231105183_SEN_{tile}.TIF", _NOWHERE)


@kind(
    "DIMAP 2: rational polynomials of the product",  # which counts lines and samples from 1
    either(rpc(line_off=511.5, samp_off=699, long_off=13.25), warned("rpc")),
)
def _pleiades(folder: Path) -> Path:
    return _dimap(folder, "R1C1")


@kind("DIMAP 2: the scene", either(imagery(SATELLITEID="PHR 1A"), _NAMED))
def _pleiades_scene(folder: Path) -> Path:
    return _dimap(folder, "R1C1")


@kind("Landsat's MTL", either(imagery(SATELLITEID="LANDSAT_8"), _NAMED))
def _landsat(folder: Path) -> Path:
    lines = ('SPACECRAFT_ID = "LANDSAT_8"', "DATE_ACQUIRED = 2024-01-13", 'SCENE_CENTER_TIME = "09:51:13.1Z"')
    groups = [("PRODUCT_METADATA", lines), ("IMAGE_ATTRIBUTES", ("CLOUD_COVER = 12.50",))]
    inner = [text for name, body in groups for text in (f"GROUP = {name}", *body, f"END_GROUP = {name}")]
    text = "\n".join(["GROUP = L1_METADATA_FILE", *inner, "END_GROUP = L1_METADATA_FILE", "END", ""])
    (folder / "LC08_L1TP_190027_20240113_20240120_02_T1_MTL.txt").write_text(text)
    return _raster(folder, "LC08_L1TP_190027_20240113_20240120_02_T1_B4.TIF", _PLACE)


@kind("RapidEye's metadata", either(imagery(SATELLITEID="RE-1"), _NAMED))
def _rapideye(folder: Path) -> Path:
    spaces = {
        "gml": "http://www.opengis.net/gml",
        "re": "http://schemas.rapideye.de/products/productMetadataGeocorrected",
    }
    spaces |= {"eop": "http://earth.esa.int/eop", "opt": "http://earth.esa.int/opt"}
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in spaces.items())
    serial = "<eop:serialIdentifier>RE-1</eop:serialIdentifier>"
    time = "<re:acquisitionDateTime>2013-05-07T10:32:05Z</re:acquisitionDateTime>"
    equipment = (
        f"<eop:platform><eop:Platform>{serial}</eop:Platform></eop:platform>"
        f"<eop:acquisitionParameters><re:Acquisition>{time}</re:Acquisition></eop:acquisitionParameters>"
    )
    using = (
        f"<gml:using><eop:EarthObservationEquipment>{equipment}</eop:EarthObservationEquipment></gml:using>"
    )
    text = f"<re:EarthObservation {declared}>{using}</re:EarthObservation>"
    (folder / "1234567_2013-05-07_RE1_3A_123456_metadata.xml").write_text(text)
    return _raster(folder, "1234567_2013-05-07_RE1_3A_123456.tif", _PLACE)


@kind("ALOS's summary", either(imagery(ACQUISITIONDATETIME="2008-01-13 00:00:00"), _NAMED))
def _alos(folder: Path) -> Path:
    (folder / "summary.txt").write_text('Lbi_ObservationDate="20080113"\nScs_SceneID="ALAV2A111222500"\n')
    (folder / "RPC-ALAV2A111222500-OORIRFU.txt").write_text("0" * 99)
    return _raster(folder, "IMG-02-ALAV2A111222500-OORIRFU.tif", _NOWHERE)


@kind("SPOT's METADATA.DIM", either(imagery(SATELLITEID="SPOT 5"), _NAMED))
def _spot(folder: Path) -> Path:
    scene = _elements(MISSION="SPOT", MISSION_INDEX="5", IMAGING_DATE="2004-05-17", IMAGING_TIME="10:11:12")
    source = f"<Source_Information><Scene_Source>{scene}</Scene_Source></Source_Information>"
    size = "<Raster_Dimensions><NCOLS>140</NCOLS></Raster_Dimensions>"
    text = f"<Dimap_Document><Dataset_Sources>{source}</Dataset_Sources>{size}</Dimap_Document>"
    (folder / "METADATA.DIM").write_text(text)
    return _raster(folder, "IMAGERY.TIF", _PLACE)


@kind("Maxar's IMD", either(imagery(SATELLITEID="WV02"), _NAMED))
def _maxar(folder: Path) -> Path:
    time = "firstLineTime = 2013-05-07T10:11:12.000000Z;"
    text = f'version = "AA";\nBEGIN_GROUP = IMAGE_1\n\tsatId = "WV02";\n\t{time}\nEND_GROUP = IMAGE_1\nEND;\n'
    (folder / "13MAY07-P2AS_R1C1-052801.IMD").write_text(text)
    return _raster(folder, "13MAY07-P2AS_R1C1-052801.TIF", _NOWHERE)


def read_by_gdal(path: Path) -> bool:
    """Whether GDAL finds what lies beside a product's raster; a maker that it does not would show nothing."""
    with rasterio.open(path) as dataset:
        return bool(dataset.tags(ns="IMAGERY") or dataset.tags(ns="RPC"))
