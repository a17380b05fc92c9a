"""Tests of which scene a file is of, by its path alone."""

from __future__ import annotations

from datetime import UTC

import pytest

from uploader.core.scene_rules import LeftOut, Placement, Rule, SceneRules, place

pytestmark = pytest.mark.unit

BANDS = Rule(r"(?:[^/]+/)*(?P<scene>[^_/]+)_(?P<date>\d{8})_(?P<asset>B\w+)\.tif")


def placed(path: str | bytes, *rules: Rule, **rest: object) -> Placement:
    """What the rules make of a path, known to be taken."""
    raw = path if isinstance(path, bytes) else path.encode()
    found = place([SceneRules(rules or (BANDS,), UTC, **rest)], raw)  # type: ignore[arg-type]
    assert isinstance(found, Placement), found
    return found


def left(path: str, *rules: Rule) -> LeftOut:
    """Why the rules leave it."""
    found = place([SceneRules(rules or (BANDS,), UTC)], path.encode())
    assert isinstance(found, LeftOut)
    return found


def test_a_path_says_scene_asset_and_date() -> None:
    """Each by the group of its name."""
    found = placed("2024/berlin_20240607_B04.tif")

    assert (found.scene, found.asset, found.version, found.categorical) == ("berlin", "B04", "", "")
    assert found.when is not None
    assert found.when.properties["start_datetime"] == "2024-06-07T00:00:00Z"


def test_case_does_not_matter_and_names_stay_as_they_are_spelled() -> None:
    """A delivery in capitals fits a rule in small letters."""
    found = placed("BERLIN_20240607_b04.TIF")

    assert (found.scene, found.asset) == ("BERLIN", "b04")


def test_the_first_rule_that_fits_the_whole_path_decides() -> None:
    """A later one has no say, and a part of a path is not enough."""
    rules = (Rule(r"(?P<scene>a)\.tif", asset="first"), Rule(r"(?P<scene>\w+)\.tif", asset="second"))

    assert placed("a.tif", *rules).asset == "first"
    assert placed("aa.tif", *rules).asset == "second"
    assert left("x/aa.tif", *rules).reason == "No rule of its scenes fits it."


def test_sections_are_tried_in_order() -> None:
    """Of two kinds of delivery in one folder each file has its own."""
    sections = [
        SceneRules((Rule(r"(?P<scene>\w+)\.tif", asset=name),), UTC, collection=name) for name in "ab"
    ]

    found = place(sections, b"x.tif")

    assert isinstance(found, Placement)
    assert found.collection == "a"


def test_a_rule_may_leave_files_out() -> None:
    """And says so: it is not the same as being forgotten."""
    assert left("preview.tif", Rule("preview.*", skip=True)).by_rule
    assert not left("other.tif").by_rule


def test_a_rule_that_gives_no_name_is_passed_over() -> None:
    """An asset without a name would be the platform's choice."""
    optional = Rule(r"(?P<scene>\w+?)(?:-(?P<asset>\w+))?\.tif")

    assert "no name" in left("a.tif", optional).reason
    assert placed("a.tif", optional, Rule(r"(?P<scene>\w+)\.tif", asset="data")).asset == "data"


def test_a_tile_of_a_mosaic_is_an_item_of_its_own_with_the_name_of_the_scene() -> None:
    """Two tiles under one item would lie beside each other under one footprint."""
    rule = Rule(r"(?P<scene>\w+)_(?P<tile>R\dC\d)\.tif", asset="data")
    one, other = (placed(f"IMG_{tile}.tif", rule) for tile in ("R1C1", "R1C2"))

    assert one.item != other.item
    assert one.properties == other.properties == {"scene": "IMG"}


def test_properties_are_those_of_the_section_and_of_the_rule() -> None:
    """The rule, which knows more, wins; what the path does not say is told."""
    rule = Rule(
        r"(?P<scene>\w+)-(?P<orbit>\d+)(?P<x>x)?\.tif",
        asset="data",
        properties={"orbit": "{orbit:int}", "both": "rule", "lost": "{x}"},
    )
    found = placed("a-022.tif", rule, properties={"both": "section", "plain": True}, collection="S-{orbit}")

    assert found.properties == {"orbit": 22, "both": "rule", "plain": True}
    assert found.collection == "S-022"
    assert found.complaints == ("Its path does not say what the property lost asks for.",)


def test_a_date_that_is_none_is_told_and_no_other_is_taken() -> None:
    """The file's own times never are."""
    found = placed("berlin_20249999_B04.tif")

    assert found.when is None
    assert "20249999" in found.complaints[0]


def test_a_path_too_long_for_its_pattern_is_left_and_told() -> None:
    """What a hostile name could keep busy is not tried at all."""
    slow = Rule(r".+_.+_.+\.tif", scene="s", asset="a")

    assert "letters" in left("_" * 4000 + ".tif", slow).reason
    assert placed("a_b_c.tif", slow).scene == "s"


def test_bytes_that_are_no_text_are_spelled() -> None:
    """And go into a scene's name as they are shown everywhere."""
    assert placed(b"berl\xffn_20240607_B04.tif").scene == "berl\\xffn"
