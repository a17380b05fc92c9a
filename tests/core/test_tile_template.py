"""Which addresses of map tiles are taken, and what is said of the others."""

from __future__ import annotations

import pytest

from uploader.core.tile_template import address, mistake, origin

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "template",
    [
        "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        "http://127.0.0.1:8080/{z}/{y}/{x}",
        "https://tiles.example.org/wmts?layer=a&z={z}&x={x}&y={y}&key=abc",
    ],
)
def test_a_template_of_one_origin_is_taken(template: str) -> None:
    """Whatever the order of its placeholders, and with a query too."""
    assert mistake(template) == ""


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("tiles", "is no address"),
        ("ftp://a.org/{z}/{x}/{y}", "is no address"),
        ("file:///srv/{z}/{x}/{y}", "is no address"),
        ("https://a.org/{z}/{x}/{y}; script-src *", "is no address"),
        ("https://a.org:99999/{z}/{x}/{y}", "is no address"),
        ("https://{s}.tile.org/{z}/{x}/{y}", "one host"),
        ("https://*.tile.org/{z}/{x}/{y}", "one host"),
        ("https://a.org;img-src/{z}/{x}/{y}", "one host"),
        ("https://me:pass@a.org/{z}/{x}/{y}", "one host"),
        ("https://[::1]/{z}/{x}/{y}", "one host"),
        ("https://a.org/{z}/{x}", "has no {y}"),
        ("https://a.org/tiles.png", "has no {z} and no {x} and no {y}"),
        ("https://a.org/{z}/{x}/{y}{r}.png", "has {r}"),
        ("https://a.org/{z}/{x}/{y}/{", "has {"),
        ("https://a.org/{z}/{x}/{y}#a", 'has a "#"'),
    ],
)
def test_a_template_that_could_not_work_is_refused_in_words(template: str, word: str) -> None:
    """What is no address, names more than one origin, or misses what a tile is called by."""
    assert word in mistake(template)


def test_a_tile_has_its_address() -> None:
    """Each placeholder is filled in wherever it stands; the origin is what a browser may be told."""
    template = "https://Tiles.example.org:8443/{z}/{x}/{y}@2x?again={z}"

    assert address(template, 3, 4, 5) == "https://Tiles.example.org:8443/3/4/5@2x?again=3"
    assert origin(template) == "https://tiles.example.org:8443"
    assert origin("") == ""
