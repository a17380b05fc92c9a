"""Attacks by names: foreign files and addresses that a raster, its sidecars or its neighbours speak of."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import rasterio

from tests.security.family import attack, auxiliary, overviews, plain
from tests.security.lures import Lure
from tests.support import rasters


@attack("names", proven=True)
def a_vrt_in_disguise(folder: Path, lure: Lure) -> None:
    """The raster itself is a VRT."""
    (folder / "source.tif").write_text(lure.vrt(str(lure.raster)))


@attack("names")
def a_vrt_of_an_address(folder: Path, lure: Lure) -> None:
    """The raster itself is a VRT of something on the network."""
    (folder / "source.tif").write_text(lure.vrt(f"/vsicurl/{lure.url}/a.tif"))


@attack("names")
def a_map_service(folder: Path, lure: Lure) -> None:
    """The raster itself describes a web map service."""
    (folder / "source.tif").write_text(lure.wms())


@attack("names")
def a_tile_matrix_service(folder: Path, lure: Lure) -> None:
    """The raster itself names the capabilities of a tile service."""
    (folder / "source.tif").write_text(
        f"<GDAL_WMTS><GetCapabilitiesUrl>{lure.url}/c.xml</GetCapabilitiesUrl></GDAL_WMTS>"
    )


@attack("names")
def a_tiled_asset(folder: Path, lure: Lure) -> None:
    """The raster itself is a JSON of assets elsewhere."""
    (folder / "source.tif").write_text(
        '{"stac_extensions":["tiled-assets"],"asset_templates":{"a":{"href":"URL/{TileMatrix}"}}}'.replace(
            "URL", lure.url
        )
    )


@attack("names")
def a_tile_index(folder: Path, lure: Lure) -> None:
    """The raster itself is an index of rasters."""
    (folder / "source.tif").write_text(
        f"<GDALTileIndexDataset><IndexDataset>{lure.raster}</IndexDataset></GDALTileIndexDataset>"
    )


@attack("names", proven=True)
def overviews_named_inside(folder: Path, lure: Lure) -> None:
    """Internal metadata name a foreign raster as the overviews."""
    overviews(plain(folder), str(lure.raster))


@attack("names", proven=True)
def overviews_as_text_inside(folder: Path, lure: Lure) -> None:
    """Internal metadata hold a whole VRT."""
    overviews(plain(folder), lure.vrt(str(lure.raster)))


@attack("names")
def overviews_of_an_address(folder: Path, lure: Lure) -> None:
    """Internal metadata name an address."""
    overviews(plain(folder), f"/vsicurl/{lure.url}/a.tif")


@attack("names")
def overviews_of_a_stream(folder: Path, lure: Lure) -> None:
    """Internal metadata name an archive behind an address."""
    overviews(plain(folder), f"/vsizip//vsicurl_streaming/{lure.url}/a.zip/a.tif")


@attack("names", proven=True)
def overviews_beside(folder: Path, lure: Lure) -> None:
    """The `.ovr` is a VRT."""
    plain(folder).with_name("source.tif.ovr").write_text(lure.vrt(str(lure.raster)))


@attack("names")
def overviews_by_service(folder: Path, lure: Lure) -> None:
    """The `.ovr` describes a web map service."""
    plain(folder).with_name("source.tif.ovr").write_text(lure.wms())


@attack("names", proven=True)
def overviews_of_overviews(folder: Path, lure: Lure) -> None:
    """The `.ovr` is a TIFF whose own `.ovr` is a VRT."""
    ovr = plain(folder).with_name("source.tif.ovr")
    plain(folder, ovr.name, 300)
    ovr.with_name(ovr.name + ".ovr").write_text(lure.vrt(str(lure.raster)))
    overviews(ovr, str(lure.raster))
    overviews(folder / "source.tif", str(lure.raster))


@attack("names", proven=True)
def overviews_in_the_auxiliary(folder: Path, lure: Lure) -> None:
    """The `.aux.xml` names a foreign raster as the overviews."""
    plain(folder)
    name = f'<MDI key="OVERVIEW_FILE">{lure.raster}</MDI>'
    auxiliary(folder, f'<Metadata domain="OVERVIEWS">{name}</Metadata>')


@attack("names")
def addresses_in_the_auxiliary(folder: Path, lure: Lure) -> None:
    """The `.aux.xml` names addresses wherever it can: overviews, masks, geolocation, subdatasets."""
    plain(folder)
    keys = {"OVERVIEWS": "OVERVIEW_FILE", "GEOLOCATION": "X_DATASET", "SUBDATASETS": "SUBDATASET_1_NAME"}
    inner = "".join(
        f'<Metadata domain="{domain}"><MDI key="{key}">/vsicurl/{lure.url}/{key}</MDI></Metadata>'
        for domain, key in keys.items()
    )
    auxiliary(folder, inner)


@attack("names")
def a_foreign_entity(folder: Path, lure: Lure) -> None:
    """The `.aux.xml` has entities that are a file and an address."""
    plain(folder)
    head = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{lure.text}"><!ENTITY b SYSTEM "{lure.url}/e">]>'
    auxiliary(folder, "<Metadata><MDI key='k'>&a;&b;</MDI></Metadata>", head)


@attack("names")
def a_mask_by_vrt(folder: Path, lure: Lure) -> None:
    """The `.msk` is a VRT."""
    plain(folder).with_name("source.tif.msk").write_text(lure.vrt(str(lure.raster)))


@attack("names", proven=True)
def overviews_of_the_mask(folder: Path, lure: Lure) -> None:
    """The `.msk` is a TIFF that names a foreign raster as its overviews."""
    mask = plain(folder).with_name("source.tif.msk")
    with rasterio.open(mask, "w", driver="GTiff", width=600, height=600, count=1, dtype="uint8") as dataset:
        dataset.write(np.full((1, 600, 600), 255, np.uint8))
        dataset.update_tags(INTERNAL_MASK_FLAGS_1="2")
    overviews(mask, str(lure.raster))


@attack("names")
def places_of_foreign_rasters(folder: Path, lure: Lure) -> None:
    """Internal metadata place each pixel by foreign rasters."""
    with rasterio.open(plain(folder), "r+") as dataset:
        dataset.update_tags(ns="GEOLOCATION", X_DATASET=str(lure.raster), Y_DATASET=f"/vsicurl/{lure.url}/y")
        dataset.update_tags(ns="xml:VRT", **{"": lure.vrt(str(lure.raster))})


@attack("names")
def a_shift_grid(folder: Path, lure: Lure) -> None:
    """The `.prj` and internal metadata want PROJ to load foreign grids."""
    rasters.make("plain", folder / "source.tif")
    (folder / "source.prj").write_text(
        'GEOGCS["g",DATUM["d",SPHEROID["s",6378137,298.257],EXTENSION["PROJ4_GRIDS",'
        f'"{lure.text},/vsicurl/{lure.url}/g.gsb"]],PRIMEM["Greenwich",0],UNIT["degree",0.017453292519943295],'
        f'EXTENSION["PROJ4","+proj=longlat +nadgrids={lure.text},{lure.url}/g.tif +no_defs"]]'
    )


@attack("names")
def a_shift_grid_in_the_auxiliary(folder: Path, lure: Lure) -> None:
    """The `.aux.xml` wants PROJ to load a foreign grid."""
    rasters.make("plain", folder / "source.tif")
    datum = f'DATUM["d",SPHEROID["s",6378137,298.257],EXTENSION["PROJ4_GRIDS","{lure.text}"]]'
    system = f'GEOGCS["g",{datum},PRIMEM["Greenwich",0],UNIT["degree",0.017453292519943295]]'
    auxiliary(folder, f"<SRS>{escape(system, {chr(34): '&quot;'})}</SRS>")


@attack("names")
def a_projection_by_name(folder: Path, lure: Lure) -> None:
    """The `.prj` is not WKT but an address, as PROJ and GDAL take them."""
    plain(folder)
    (folder / "source.prj").write_text(f"{lure.url}/def/crs/EPSG/0/4326")


@attack("names")
def settings_beside(folder: Path, lure: Lure) -> None:
    """Files that GDAL and PROJ read as settings, drivers and tables, if they find them."""
    plain(folder)
    gdalrc = f"[configoptions]\nGDAL_HTTP_PROXY={lure.url}\nCPL_DEBUG=ON\nCPL_LOG={lure.text}\n"
    (folder / ".gdal").mkdir()
    for name in (
        "gdalrc",
        ".gdal/gdalrc",
        "proj.ini",
        "gdal_EVIL.so",
        "proj.db",
        "gdalvrt.xsd",
        "python3.so",
    ):
        (folder / name).write_text(gdalrc)
    (folder / "uploader").mkdir()
    (folder / "uploader" / "__init__.py").write_text(f"open({str(lure.text)!r}).read()")
    (folder / "numpy.py").write_text(f"open({str(lure.text)!r}).read()")


@attack("names")
def metadata_files_beside(folder: Path, lure: Lure) -> None:
    """Metadata files of satellites that name other files."""
    plain(folder)
    for name in (
        "source.IMD",
        "source.RPB",
        "source_rpc.txt",
        "source_metadata.txt",
        "source.xml",
        "METADATA.DIM",
    ):
        (folder / name).write_text(f"filename = {lure.text};\n<a href='{lure.url}'>{lure.text}</a>\nEND;\n")


@attack("names")
def a_link(folder: Path, lure: Lure) -> None:
    """The raster is a symbolic link."""
    (folder / "source.tif").symlink_to(lure.raster)


@attack("names")
def sidecars_that_are_links(folder: Path, lure: Lure) -> None:
    """The sidecars are symbolic links."""
    plain(folder)
    for suffix in (".aux.xml", ".ovr", ".msk"):
        (folder / f"source.tif{suffix}").symlink_to(lure.raster)
    (folder / "source.tfw").symlink_to(lure.text)
