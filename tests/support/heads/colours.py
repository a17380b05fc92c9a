"""Heads about what samples mean: photometric, extra samples, colour maps, orientation, curves, masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.support.heads.base import Random, kind, pick, picture, samples
from tests.support.tiffwriter import Picture, doubles, ratios, shorts, text

_MASK = {254: shorts(4), 262: shorts(4)}


@kind("RGB and an extra sample")
def _extra(random: Random) -> Sequence[Picture]:
    """Premultiplied, straight, or of no known meaning."""
    pixels = samples(random, 4, "u1", "u2")
    pixels[: pixels.shape[0] // 3, :, 3] = pick(random, 0, 100)
    return [picture(random, pixels, {262: shorts(2), 338: shorts(int(random.integers(3)))})]


@kind("gray and an extra sample")
def _gray_extra(random: Random) -> Sequence[Picture]:
    return [picture(random, samples(random, 2), {338: shorts(int(random.integers(3)))})]


@kind("RGB and two extra samples")
def _two_extra(random: Random) -> Sequence[Picture]:
    return [
        picture(
            random,
            samples(random, 5, "u1", "u2"),
            {262: shorts(2), 338: shorts(*pick(random, (0, 2), (1, 0), (0, 0)))},
        )
    ]


@kind("bands that are no colours")
def _bands(random: Random) -> Sequence[Picture]:
    """Three or four samples that the head calls gray."""
    count = pick(random, 3, 4)
    extra = {338: shorts(*[0] * (count - 1))} if random.integers(2) else {}
    return [picture(random, samples(random, count), extra)]


@kind("CMYK")
def _cmyk(random: Random) -> Sequence[Picture]:
    inks = {332: shorts(1), 334: shorts(4)}
    more = pick(
        random, {}, inks, inks | {336: shorts(0, 255)}, inks | {333: text(b"Cyan\0Magenta\0Yellow\0Black")}
    )
    return [picture(random, samples(random, 4, "u1", "u2"), {262: shorts(5), **more})]


@kind("CIELab")
def _lab(random: Random) -> Sequence[Picture]:
    return [picture(random, samples(random, 3, "u1"), {262: shorts(pick(random, 8, 9))})]


@kind("colour filter array")
def _cfa(random: Random) -> Sequence[Picture]:
    pattern = {33421: shorts(2, 2), 33422: text(b"\0\1\1")}
    return [picture(random, samples(random, 1, "u2"), {262: shorts(32803), **pattern})]


@kind("white is zero")
def _white(random: Random) -> Sequence[Picture]:
    return [picture(random, samples(random, 1, "u1", "u2"), {262: shorts(0)})]


@kind("orientation")
def _orientation(random: Random) -> Sequence[Picture]:
    return [
        picture(random, samples(random, pick(random, 1, 3), "u1"), {274: shorts(int(random.integers(1, 9)))})
    ]


@kind("curves")
def _curves(random: Random) -> Sequence[Picture]:
    """The response of gray, a transfer function, a white point, primary colours."""
    gray = {290: shorts(3), 291: shorts(*range(0, 2560, 10))}
    transfer = {301: shorts(*(int(65535 * (i / 255) ** 1.8) for i in range(256)))}
    white = {318: ratios(3127, 10000, 3290, 10000)}
    primary = {319: ratios(64, 100, 33, 100, 30, 100, 60, 100, 15, 100, 6, 100)}
    chosen = pick(random, gray, transfer, white, primary, white | primary)
    count = 1 if chosen is gray or chosen is transfer else 3
    return [picture(random, samples(random, count, "u1"), {262: shorts(1 if count == 1 else 2), **chosen})]


@kind("colour map")
def _palette(random: Random) -> Sequence[Picture]:
    """Of 8 bits in 16, once with entries that need them all."""
    step = pick(random, 257, 256, 1)
    table = random.integers(0, 256, 3 * 256) * step + (random.integers(0, 65000, 3 * 256) if step == 1 else 0)
    pixels = samples(random, 1, "u1") // 40
    return [picture(random, pixels, {262: shorts(3), 320: shorts(*(int(n) for n in table))})]


@kind("mask inside")
def _mask(random: Random) -> Sequence[Picture]:
    """Of single bits, of bytes, soft, or of zeros and ones."""
    pixels = samples(random, pick(random, 1, 3), "u1", "u2")
    rows, columns, _ = pixels.shape
    ramp = np.linspace(0, 255, rows * columns).reshape(rows, columns, 1)
    values = pick(
        random, ramp > 90, (ramp > 90).astype("u1") * 255, ramp.astype("u1"), (ramp > 90).astype("u1")
    )
    return [
        picture(random, pixels, {262: shorts(2 if pixels.shape[2] == 3 else 1)}),
        Picture(values, _MASK),
    ]


@kind("resolution of brightness")
def _scale(random: Random) -> Sequence[Picture]:
    """Tags that say how bright samples are: they may be left out."""
    return [picture(random, samples(random, 1, "f4"), {340: doubles(-100.0), 341: doubles(900.0)})]


@kind("nothing but what must be")
def _bare(random: Random) -> Sequence[Picture]:
    """Without any tag that has a default."""
    return [picture(random, samples(random, 1, "u1"), {277: None, 339: None, 284: None})]


@kind("samples that are no numbers")
def _undeclared(random: Random) -> Sequence[Picture]:
    """NaN and infinities that no nodata value declares."""
    pixels = samples(random, 1, "f4", "f8", size=pick(random, (600, 530), (1100, 700)))
    holes = random.random(pixels.shape) < 0.03
    pixels[holes] = pick(random, np.nan, np.inf, -np.inf)
    return [picture(random, pixels)]
