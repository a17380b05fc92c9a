"""Writing the COG with GDAL's own driver, from a wrapper of the source.

The wrapper is a VRT, a small XML text that names the source, made by GDAL itself so that it carries masks, colour
tables, GCPs, RPCs and the rest. What GDAL leaves out of it (XMP, ICC) is put back in, and a long item keeps room in
the result's head for what `finish` adds.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import rasterio.shutil
from rasterio.io import DatasetReader

from uploader.convert.read import reference_systems
from uploader.convert.read.facts import ALL_VALID, ALPHA, NODATA, PER_DATASET, Facts
from uploader.convert.read.formats.open_raster import Dataset, translated
from uploader.convert.read.statistics_tags import STATISTICS_KEYS
from uploader.convert.tiff.xml_text import escaped, quoted
from uploader.core.path_text import raw

RESERVED = "UPLOADER_RESERVED"
"""Name of the metadata item that keeps room in the head; never in a finished file."""

_WRAPPER = "wrapper.vrt"
_PROFILE = "COLOR_PROFILE"
XMP = "xml:XMP"
_BAND = re.compile(rb'<VRTRasterBand [^>]*\bband="(\d+)"[^>]*>')
_OLD_STATISTICS = re.compile(
    rb'\s*<MDI key="(?:%s)">[^<]*</MDI>' % b"|".join(key.encode() for key in sorted(STATISTICS_KEYS))
)
_DESCRIPTION = re.compile(rb"\s*<Description>[^<]*</Description>")
_GCP = re.compile(rb'<GCP (?:\s*(?:Pixel|Line|X|Y|Z)="[^"]*"|(?=\s))*')
_COLOURS = re.compile(rb"\s*<ColorTable>.*?</ColorTable>|<ColorInterp>Palette</ColorInterp>", re.DOTALL)
_NODATA = re.compile(rb"\s*<NoDataValue>([^<]*)</NoDataValue>")
_MASK = re.compile(rb"\s*<MaskBand>.*?</MaskBand>", re.DOTALL)
_SYSTEM = re.compile(rb"\s*<SRS[^>]*>[^<]*</SRS>")
_POLYNOMIALS = re.compile(rb'\s*<Metadata domain="RPC">.*?</Metadata>', re.DOTALL)
_SIZE = re.compile(rb'(<VRTDataset rasterXSize=")\d+(" rasterYSize=")\d+"')
_SOURCE = re.compile(rb"\s*<(SimpleSource|ComplexSource)\b.*?</\1>", re.DOTALL)
_ELEMENT = re.compile(rb"<([A-Za-z]+)")
_DOMAIN = re.compile(rb'<Metadata domain="([\w:.-]+)"')
_INSTRUCTION = re.compile(r"<\?.*?\?>", re.DOTALL)


def write(
    dataset: Dataset,
    facts: Facts,
    options: Mapping[str, str],
    target: Path,
    *,
    reserved: int,
    nodata: str = "",
    head_only: bool = False,
) -> bytes:
    """Convert an open source; `target` must not exist. Leaves what GDAL leaves beside it.

    With `head_only` the result has the head of the COG, but is a few pixels large, and no pixel of the source is
    read. So many bytes are `reserved` in its head. `nodata` is the value of 64-bit integers, all digits of it.

    Returns the text of a declared nodata value that the type cannot have: the result lacks it, for the mode that GDAL
    takes would make the nearest value of it. Raises RasterUnreadable for whatever GDAL says; the caller knows whether
    the disk was full.
    """
    wrapper = target.parent / _WRAPPER
    with translated("converted"):
        rasterio.shutil.copy(dataset, wrapper, driver="VRT")
        own = dataset.crs.to_wkt() if dataset.crs else ""
        text, unfit = wrapper.read_bytes(), None
        if not nodata and all(band.nodata is None for band in facts.bands):
            unfit, text = _NODATA.search(text), _NODATA.sub(b"", text)
        text = _dressed(_placed(text, facts, own), facts, reserved, nodata)
        wrapper.write_bytes(_emptied(text) if head_only else text)
        with DatasetReader(str(wrapper), driver="VRT", sharing=False) as source:
            rasterio.shutil.copy(source, target, driver="COG", strict=False, **options)
    wrapper.unlink()
    return unfit.group(1) if unfit else b""


def _emptied(wrapper: bytes) -> bytes:
    """A wrapper's text without any pixels, and of a size at which that costs nothing."""
    return _SIZE.sub(rb'\g<1>16\g<2>16"', _SOURCE.sub(b"", wrapper), count=1)


def _placed(wrapper: bytes, facts: Facts, own: str) -> bytes:
    """A wrapper's text with the reference system and the polynomials of the facts, where GDAL has others or none."""
    system = reference_systems.writable(facts.crs)
    start = wrapper.find(b">") + 1
    added = b""
    if system != own and (system or not reference_systems.is_placeholder(own)):
        wrapper = _SYSTEM.sub(b"", wrapper, count=1)
        added += f"<SRS>{escaped(system)}</SRS>".encode() if system else b""
    wrapper = _POLYNOMIALS.sub(b"", wrapper)
    added += _metadata(dict(facts.rpcs), "RPC") if facts.rpcs else b""
    return wrapper[:start] + added + wrapper[start:]


def _dressed(wrapper: bytes, facts: Facts, reserved: int, nodata: str) -> bytes:
    """A wrapper's text without old statistics, and with what GDAL forgot or rounded.

    The text is edited as text: metadata of odd rasters holds bytes that GDAL writes and reads, but no XML parser
    takes. Several `Metadata` elements of one domain add up.
    """
    start = wrapper.find(b"<VRTRasterBand")
    head, bands = _exact_gcps(wrapper[:start], facts), _OLD_STATISTICS.sub(b"", wrapper[start:])
    missing = (
        f"<NoDataValue>{nodata}</NoDataValue>".encode() if nodata and b"<NoDataValue>" not in bands else b""
    )

    def dressed_band(tag: re.Match[bytes]) -> bytes:
        index = int(tag.group(1)) - 1
        name = facts.bands[index].description
        description = raw(f"<Description>{escaped(name)}</Description>") if name else b""
        return tag.group() + description + missing

    bands = _BAND.sub(dressed_band, _DESCRIPTION.sub(b"", bands))
    if facts.white_is_zero:
        bands = _COLOURS.sub(b"", bands)
    room = _metadata({RESERVED: "-" * reserved})
    return head + room + _forgotten(head, facts) + _one_mask(bands, facts)


def _exact_gcps(head: bytes, facts: Facts) -> bytes:
    """GDAL writes ground control points with a few digits into a VRT; put all of them back."""
    points = iter(facts.gcps)

    def exact(_: re.Match[bytes]) -> bytes:
        names = ("Line", "Pixel", "X", "Y", "Z")
        values = " ".join(f'{name}="{value!r}"' for name, value in zip(names, next(points), strict=True))
        return b"<GCP " + values.encode() + b" "

    return _GCP.sub(exact, head)


def _one_mask(bands: bytes, facts: Facts) -> bytes:
    """TIFF has one mask for all bands. Where each band has its own, the first stands for all.

    Whether they are alike is found out when the result is compared.
    """
    if any(band.mask & (ALL_VALID | PER_DATASET | ALPHA | NODATA) for band in facts.bands):
        return bands
    mask = _MASK.search(bands)
    if mask is None:
        return bands
    return _MASK.sub(b"", bands).replace(b"</VRTDataset>", mask.group() + b"</VRTDataset>")


def _forgotten(head: bytes, facts: Facts) -> bytes:
    """What TIFF can hold of the whole raster and the wrapper lacks: two domains."""
    found = b""
    if _PROFILE in facts.domains and f'domain="{_PROFILE}"'.encode() not in head:
        found += _metadata(facts.domains[_PROFILE], _PROFILE)
    packet = packet_of(facts)
    if packet and f'domain="{XMP}"'.encode() not in head:
        found += f'<Metadata domain="{XMP}" format="xml">{packet}</Metadata>'.encode()
    return found


def _metadata(tags: Mapping[str, str], domain: str = "") -> bytes:
    items = "".join(f"<MDI key={quoted(key)}>{escaped(value)}</MDI>" for key, value in sorted(tags.items()))
    of = f" domain={quoted(domain)}" if domain else ""
    return raw(f"<Metadata{of}>{items}</Metadata>")


def packet_of(facts: Facts) -> str:
    """The XMP document of a raster without its wrapping; empty where there is none that parses.

    It travels as text, for a parser would rename its namespaces.
    """
    document = "".join(facts.domains.get(XMP, {}).values()).removeprefix(f"{XMP}=")
    bare = _INSTRUCTION.sub("", document).strip("\ufeff\x00 \t\r\n")
    try:
        ET.fromstring(bare)  # noqa: S314 - bounded by the tag, and without a DTD there is nothing to expand
    except (ET.ParseError, ValueError):
        return ""
    return "" if "<!" in bare else bare


def beside(target: Path) -> frozenset[str]:
    """What GDAL could not put into the file and wrote next to it: names of elements and of domains."""
    aux = target.with_name(target.name + ".aux.xml")
    if not aux.exists():
        return frozenset()
    text = aux.read_bytes()
    elements = {name.decode() for name in _ELEMENT.findall(text)}
    return frozenset(elements | {f"Metadata:{name.decode()}" for name in _DOMAIN.findall(text)})
