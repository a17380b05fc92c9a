"""What counts as named: the code, or a warning of a loss whose text has the tag's number or name."""

from __future__ import annotations

import pytest

from tests.judge.findings import Finding, fault, named, tag_loss, verdict

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("warning", "said"),
    [
        (("tag_lost", "The tags Artist and Copyright are not in the result."), True),
        (("tag_lost", "The tag 315 is not in the result."), True),
        (("tag_lost", "The metadata items TIFFTAG_ARTIST are not in the result as they were."), True),
        (("tag_lost", "The tags DocumentName, Make, Model and 3 more are not in the result."), True),
        (("tag_lost", "The tag 3150 is not in the result."), False),
        (("icc_lost", "Its colour profile is not in the result."), False),
        (("extra_pages", "The artist has 2 pages."), False),
    ],
)
def test_a_warning_names_a_tag(warning: tuple[str, str], *, said: bool) -> None:
    """By its number as a whole, or one of its names, in a warning of a loss."""
    assert named(tag_loss(315, "gone"), [warning]) == said


def test_some_losses_have_codes_of_their_own() -> None:
    """A colour profile, Exif, XMP."""
    assert named(tag_loss(34675, "gone"), [("icc_lost", "Its colour profile is not in the result.")])
    assert named(tag_loss(34665, "gone"), [("exif_lost", "Its Exif directory is not in the result.")])


def test_no_warning_excuses_a_fault() -> None:
    """What must not be is wrong, however it is named."""
    found = fault("tag 262 became 2")
    assert verdict([found], [("tag_lost", "tag 262")]).wrong == (found.text,)


def test_the_verdict_is_the_worst() -> None:
    """Wrong before silent before named before exact."""
    loss = Finding("gone", codes=("icc_lost",))
    told = [("icc_lost", "")]
    assert verdict([], told).title == "exact"
    assert verdict([loss], told).title == "named"
    assert verdict([loss], []).title == "silent"
    assert verdict([loss, fault("changed")], []).title == "wrong"
