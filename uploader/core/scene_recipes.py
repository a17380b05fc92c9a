"""Recipes: the rules for deliveries whose names follow a published convention. A table of facts, and no rule of ours.

The conventions: Copernicus' product specification of Sentinel-2 (SAFE, from 2016-12 on), the layout of the public
catalogues of its COGs, the USGS' product identifiers of Landsat Collection 2, Planet's names of PSScene assets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from uploader.core.scene_rules import Rule
from uploader.core.scene_templates import Value


@dataclass(frozen=True, slots=True)
class Recipe:
    """Rules, and how dates are written in them: in UTC; an empty format means ISO 8601."""

    rules: tuple[Rule, ...]
    date_format: str = ""


_ANY_FOLDER = r"(?:[^/]+/)*"
_RASTER = r"\.(?:jp2|tif|tiff)"

# ------------------------------------------------------------------------------------------------ Sentinel-2
#
# A datatake may end within a tile and go on in the next datastrip: two products of one tile and sensing time, which
# only the start of the granule tells apart. That start outlives reprocessing, the discriminator at the product's end
# does not. So the granule is of the scene, baseline and discriminator are its version.


def _safe(level: str, offset: str) -> tuple[Rule, ...]:
    """The rules of a SAFE tree; `offset` is what is added to reflectances since baseline 04.00, by its name there."""
    product = (
        rf"{_ANY_FOLDER}(?P<mission>S2[A-D])_MSI{level}_(?P<date>\d{{8}}T\d{{6}})_N%s"
        r"_R(?P<orbit>\d{3})_T(?P<mgrs>\d{2}[A-Z]{3})_(?P<discriminator>\d{8}T\d{6})(?:\.SAFE)?/"
        rf"GRANULE/{level}_T\d{{2}}[A-Z]{{3}}_A\d{{6}}_(?P<granule>\d{{8}}T\d{{6}})/%s{_RASTER}"
    )
    file = r"(?:L2A_)?T\d{2}[A-Z]{3}_\d{8}T\d{6}_"
    properties: dict[str, Value] = {
        "processing:version": "{major}.{minor}",
        "sat:relative_orbit": "{orbit:int}",
        "grid:code": "MGRS-{mgrs}",
    }
    scene = f"{{mission}}_MSI{level}_{{date}}_R{{orbit}}_T{{mgrs}}_{{granule}}"
    version = "N{major}{minor}_{discriminator}"
    baselines: tuple[tuple[str, dict[str, Value]], ...] = (
        (r"(?P<major>0[0-3])(?P<minor>\d{2})", {}),
        (r"(?P<major>\d{2})(?P<minor>\d{2})", {offset: -1000}),
    )
    return tuple(
        Rule(
            product % (baseline, inner),
            scene=scene,
            version=version,
            categorical=categorical,
            properties=properties | added,
        )
        for inner, categorical in _INNER[level](file)
        for baseline, added in baselines
    )


def _l1c(file: str) -> tuple[tuple[str, str], ...]:
    return (
        (rf"IMG_DATA/{file}(?P<asset>B0[1-9]|B1[0-2]|B8A|TCI)", "no"),
        (r"QI_DATA/(?P<asset>MSK_CLASSI)_B00", "yes"),
    )


def _l2a(file: str) -> tuple[tuple[str, str], ...]:
    return (
        (rf"IMG_DATA/R10m/{file}(?P<asset>B0[2348]|AOT|WVP|TCI)_10m", "no"),
        (rf"IMG_DATA/R20m/{file}(?P<asset>B0[567]|B8A|B1[12])_20m", "no"),
        (rf"IMG_DATA/R60m/{file}(?P<asset>B0[19])_60m", "no"),
        (rf"IMG_DATA/R20m/{file}(?P<asset>SCL)_20m", "yes"),
        (r"QI_DATA/(?P<asset>MSK_CLDPRB|MSK_SNWPRB)_20m", "no"),
        (r"QI_DATA/(?P<asset>MSK_CLASSI)_B00", "yes"),
    )


_INNER = {"L1C": _l1c, "L2A": _l2a}
"""By level: the files below a granule, each band at its native resolution, and whether they are classes."""

_REST_OF_SAFE = Rule(
    rf"{_ANY_FOLDER}S2[A-D]_MSIL[12][AC]_\d{{8}}T\d{{6}}_N\d{{4}}_R\d{{3}}_T\d{{2}}[A-Z]{{3}}_\d{{8}}T\d{{6}}"
    rf"(?:\.SAFE)?/.+{_RASTER}",
    skip=True,
)
"""Further resolutions of bands, previews and technical masks."""


def _catalogue(level: str, bands: str, classes: str) -> tuple[Rule, ...]:
    """`S2A_33UUP_20220125_0_L2A/B04.tif`, or since collection 1 `S2A_T33UUP_20220125T101606_L2A/B04.tif`."""
    scene = (
        rf"{_ANY_FOLDER}(?P<scene>S2[A-D]_T?(?P<mgrs>\d{{1,2}}[A-Z]{{3}})_(?P<date>\d{{8}}(?:T\d{{6}})?)"
        rf"(?:_\d)?_{level})[/_](?P<asset>%s)\.tif"
    )
    properties = {"grid:code": "MGRS-{mgrs}"}
    found = [Rule(scene % bands, categorical="no", properties=properties)]
    found += [Rule(scene % classes, categorical="yes", properties=properties)] if classes else []
    rest = rf"{_ANY_FOLDER}S2[A-D]_T?\d{{1,2}}[A-Z]{{3}}_\d{{8}}(?:T\d{{6}})?(?:_\d)?_{level}[/_][^/]+\.tif"
    return (*found, Rule(rest, skip=True))


# ------------------------------------------------------------------------------------------------ Landsat
#
# The same scene comes as RT within hours and as T1 or T2 within weeks, processed anew and perhaps corrected to
# another level (L1GT, then L1TP). So the scene has neither; version is the day of processing, then the tier.

_LANDSAT = (
    rf"{_ANY_FOLDER}(?P<mission>L[COTEM]0[1-9])_(?P<correction>(?P<level>L[12])[A-Z]{{2}})_(?P<path>\d{{3}})"
    r"(?P<row>\d{3})_(?P<date>\d{8})_(?P<processed>\d{8})_02_(?P<tier>RT|T1|T2)_(?P<asset>%s)\.tif"
)
_LANDSAT_PROPERTIES: Mapping[str, Value] = {
    "landsat:wrs_path": "{path}",
    "landsat:wrs_row": "{row}",
    "landsat:correction": "{correction}",
    "landsat:collection_number": "02",
    "landsat:collection_category": "{tier}",
}
_LANDSAT_VALUES = (
    r"(?:SR_)?B\d{1,2}|B6_VCID_[12]|ST_B\d{1,2}|ST_(?:ATRAN|CDIST|DRAD|EMIS|EMSD|QA|TRAD|URAD)|"
    r"SR_ATMOS_OPACITY|[VS][AZ]A"
)
_LANDSAT_FLAGS = r"QA_PIXEL|QA_RADSAT|SR_QA_AEROSOL|SR_CLOUD_QA"


def _landsat(assets: str, categorical: str) -> Rule:
    return Rule(
        _LANDSAT % assets,
        scene="{mission}_{level}_{path}{row}_{date}_02",
        version="{processed}_{tier}",
        categorical=categorical,
        properties=_LANDSAT_PROPERTIES,
    )


# ------------------------------------------------------------------------------------------------ Planet

_PLANET = (
    rf"{_ANY_FOLDER}(?P<scene>(?P<date>\d{{8}}_\d{{6}})_(?:\d{{2}}_)?[0-9a-f]{{4}})_%s"
    r"(?:_clip)?(?:_reproject)?(?:_file_format)?\.tiff?"
)
_PLANET_KIND = r"(?:Analytic|AnalyticMS|Visual|Pansharpened|Panchromatic)(?:_SR)?(?:_8b)?(?:_harmonized)?"


def _planet(kind: str, categorical: str) -> tuple[Rule, ...]:
    """Orthorectified assets by their own names, unrectified ones as `basic_…`."""
    return (
        Rule(_PLANET % rf"3B_(?P<asset>{kind})", categorical=categorical),
        Rule(_PLANET % rf"1B_(?P<kind>{kind})", asset="basic_{kind}", categorical=categorical),
    )


RECIPES: Mapping[str, Recipe] = {
    "sentinel-2-l1c": Recipe(
        rules=(
            *_safe("L1C", "s2:radio_add_offset"),
            _REST_OF_SAFE,
            *_catalogue("L1C", "B0[1-9]|B1[0-2]|B8A|TCI", ""),
        ),
    ),
    "sentinel-2-l2a": Recipe(
        rules=(
            *_safe("L2A", "s2:boa_add_offset"),
            _REST_OF_SAFE,
            *_catalogue("L2A", "B0[1-9]|B1[12]|B8A|AOT|WVP|TCI|CLD|SNW", "SCL"),
        ),
    ),
    "landsat-c2": Recipe(
        rules=(_landsat(_LANDSAT_VALUES, "no"), _landsat(_LANDSAT_FLAGS, "yes")),
        date_format="%Y%m%d",
    ),
    "planet-scene": Recipe(
        rules=(*_planet(_PLANET_KIND, "no"), *_planet("udm2|(?:AnalyticMS_)?(?:DN_)?udm", "yes")),
        date_format="%Y%m%d_%H%M%S",
    ),
}
"""By the name that a configuration uses."""
