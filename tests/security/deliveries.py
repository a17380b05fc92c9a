"""Attacks by satellite deliveries: sidecars of a product that name foreign files and addresses, or are none."""

from __future__ import annotations

from pathlib import Path

from tests.security.family import attack, plain
from tests.security.lures import Lure
from tests.support import products

TILE = "IMG_X_R1C2.TIF"


def _entities(lure: Lure) -> str:
    return (
        f'<!DOCTYPE d [<!ENTITY t SYSTEM "file://{lure.text}"><!ENTITY u SYSTEM "{lure.url}/e.dtd">'
        f'<!ENTITY % p SYSTEM "{lure.url}/p.dtd"> %p;]>'
    )


def _index(folder: Path, lure: Lure, name: str, text: str) -> Path:
    tile = plain(folder, TILE)
    (folder / "RPC_X.XML").write_text(products.dimap_rpc())
    (folder / name).write_text(text)
    return tile


@attack("names")
def an_index_of_foreign_tiles(folder: Path, lure: Lure) -> Path:
    """The index of a tiled product names a foreign raster, by its path and by an address, as its tiles."""
    text = (
        products.dimap("X")
        .replace("IMG_X_R1C1.TIF", str(lure.raster))
        .replace("IMG_X_R2C1.TIF", f"{lure.url}/a.tif")
    )
    return _index(folder, lure, "DIM_X.XML", text)


@attack("names")
def an_index_of_foreign_components(folder: Path, lure: Lure) -> Path:
    """The index names further documents: components, a raster's metadata, polynomials."""
    link = f'<COMPONENT_PATH href="{lure.text}"/><DATASET_QL_PATH href="/vsicurl/{lure.url}/q.jpg"/>'
    text = products.dimap("X").replace(
        "<Raster_Data>", f"<Dataset_Content>{link}</Dataset_Content><Raster_Data>"
    )
    return _index(folder, lure, "DIM_X.XML", text)


@attack("names")
def an_index_with_entities(folder: Path, lure: Lure) -> Path:
    """The index speaks of a foreign text and an address as XML entities."""
    text = products.dimap("X").replace("<Dimap_Document>", f"{_entities(lure)}<Dimap_Document>", 1)
    return _index(folder, lure, "DIM_X.XML", text.replace("PHR", "&t;&u;"))


@attack("names")
def polynomials_with_entities(folder: Path, lure: Lure) -> Path:
    """The polynomials do so."""
    tile = plain(folder, "IMG_X_R1C1.TIF")
    text = products.dimap_rpc().replace("<Dimap_Document>", f"{_entities(lure)}<Dimap_Document>", 1)
    (folder / "RPC_X.XML").write_text(text.replace("310.0", "&t;"))
    return tile


@attack("names")
def an_index_that_is_a_raster(folder: Path, lure: Lure) -> Path:
    """The index is a VRT of a foreign raster."""
    return _index(folder, lure, "DIM_X.XML", lure.vrt(str(lure.raster)))


@attack("names")
def a_scene_that_names_files(folder: Path, lure: Lure) -> Path:
    """`METADATA.DIM` says that its image is elsewhere."""
    scene = products.spot(folder)
    text = (folder / "METADATA.DIM").read_text()
    access = f'<Data_Access><Data_File><DATA_FILE_PATH href="{lure.raster}"/></Data_File></Data_Access>'
    (folder / "METADATA.DIM").write_text(text.replace("<Geoposition>", f"{access}<Geoposition>"))
    plain(folder, scene.name)
    return scene


@attack("names")
def metadata_that_is_a_service(folder: Path, lure: Lure) -> Path:
    """Metadata in words are a map service, a VRT, and a list of files."""
    (tile,) = products.landsat(folder)
    (folder / f"{products.LANDSAT}_MTL.txt").write_text(lure.wms())
    tile.with_suffix(".IMD").write_text(lure.vrt(str(lure.raster)))
    (folder / f"{tile.stem}_metadata.xml").write_text(
        f"{_entities(lure)}<re:EarthObservation>&t;</re:EarthObservation>"
    )
    plain(folder, tile.name)
    return tile


@attack("bombs")
def an_index_of_a_billion(folder: Path, lure: Lure) -> Path:
    """The index has entities that are ten of the one before, nine times over."""
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    head = f'<!DOCTYPE d [<!ENTITY e0 "0123456789">{entities}]>'
    text = (
        products.dimap("X").replace("<Dimap_Document>", f"{head}<Dimap_Document>", 1).replace("PHR", "&e9;")
    )
    return _index(folder, lure, "DIM_X.XML", text)


@attack("bombs")
def an_index_without_an_end(folder: Path, lure: Lure) -> Path:
    """The index is a hundred thousand elements within each other."""
    return _index(folder, lure, "DIM_X.XML", "<a>" * 100_000)


@attack("bombs")
def an_index_of_many_tiles(folder: Path, lure: Lure) -> Path:
    """The index lists so many tiles that each has to be looked for among all."""
    files = '<Data_File tile_R="1" tile_C="1"><DATA_FILE_PATH href="a"/></Data_File>' * 6_000
    return _index(
        folder, lure, "DIM_X.XML", products.dimap("X").replace("<Data_Files>", f"<Data_Files>{files}")
    )
