"""When a file counts as quiet and whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.core.model import Fingerprint, Sidecar, Sighting
from uploader.core.settle_rules import Extent, Next, SettleRule, Settling, unchanged, vanished

pytestmark = pytest.mark.unit

F, P = "/drop", b"a.tif"


def sighted(
    version: int = 0,
    *,
    sidecar: int | None = None,
    marked: bool = False,
    control: bytes = b"",
    path: bytes = P,
    folder: str = F,
) -> Sighting:
    """A look at a file that was written to `version` times."""
    sidecars = () if sidecar is None else (Sidecar(b"a.tfw", ".tfw", Fingerprint(1, 3, 10, 0, sidecar)),)
    return Sighting(folder, path, Fingerprint(1, 2, 100, 0, version), sidecars, marked, control)


@pytest.fixture
def settling() -> Settling:
    """Ten seconds of quiet, and a folder with markers."""
    return Settling({F: SettleRule(10.0), "/marked": SettleRule(10.0, marker=True)})


def test_a_file_is_ready_when_two_looks_lie_far_enough_apart(settling: Settling) -> None:
    """Quiet is counted from the first look that saw the file as it is."""
    assert settling.see(sighted(), 100.0) is True
    assert settling.verdict(F, P, 100.0).kind == Next.WAIT
    assert settling.due(109.9) == []
    assert settling.due(110.0) == [(F, P)]
    assert settling.see(sighted(), 110.0) is False

    assert settling.verdict(F, P, 110.0).kind == Next.READY


@pytest.mark.parametrize("other", [sighted(1), sighted(sidecar=0)])
def test_any_change_of_the_group_starts_anew(settling: Settling, other: Sighting) -> None:
    """A change of the raster, or a sidecar that arrives, resets the quiet."""
    settling.see(sighted(), 0.0)
    assert settling.see(other, 9.0) is True
    settling.see(other, 10.0)

    assert settling.verdict(F, P, 10.0).until == 19.0
    assert settling.next_due() == 19.0


def test_a_change_of_a_sidecar_alone_starts_anew(settling: Settling) -> None:
    """The group settles together."""
    settling.see(sighted(sidecar=0), 0.0)
    settling.see(sighted(sidecar=1), 9.0)
    settling.see(sighted(sidecar=1), 12.0)

    assert settling.verdict(F, P, 12.0).kind == Next.WAIT


def test_time_that_passes_without_a_look_is_not_quiet(settling: Settling) -> None:
    """Nobody knows what happened while nobody looked."""
    settling.see(sighted(), 0.0)

    assert not settling.quiet(F, P)
    assert settling.verdict(F, P, 1000.0).until == 1000.0


def test_a_file_that_a_writer_holds_waits_however_quiet(settling: Settling) -> None:
    """A stalled copy is not finished."""
    settling.see(sighted(), 0.0)
    settling.see(sighted(), 10.0)

    assert settling.verdict(F, P, 10.0, held=True).until == 20.0
    assert settling.due(20.0) == [(F, P)]
    assert settling.verdict(F, P, 20.0, held=False).kind == Next.READY


def test_a_tiff_that_ends_early_is_short(settling: Settling) -> None:
    """The verdict says how many bytes the directory needs."""
    settling.see(sighted(), 0.0)
    settling.see(sighted(), 10.0)

    verdict = settling.verdict(F, P, 10.0, held=False, extent=Extent(whole=False, needs=200))

    assert (verdict.kind, verdict.needs) == (Next.SHORT, 200)


def test_what_cannot_be_told_does_not_hold_a_file_up(settling: Settling) -> None:
    """File systems without leases and files that are no TIFF settle by quiet alone."""
    settling.see(sighted(), 0.0)
    settling.see(sighted(), 10.0)

    assert settling.verdict(F, P, 10.0, held=None, extent=Extent(None)).kind == Next.READY


def test_a_marked_folder_waits_for_the_marker_and_two_looks(settling: Settling) -> None:
    """Without the marker nothing is due; with it, two equal looks a second apart are enough."""
    plain, marked = sighted(folder="/marked"), sighted(folder="/marked", marked=True)
    settling.see(plain, 0.0)
    settling.see(plain, 500.0)
    assert settling.verdict("/marked", P, 500.0).until is None
    assert settling.next_due() is None

    settling.see(marked, 501.0)
    assert settling.verdict("/marked", P, 501.0).until == 502.0
    settling.see(marked, 502.0)
    assert settling.verdict("/marked", P, 502.0, held=True).kind == Next.READY


def test_a_marker_that_goes_again_stops_the_taking(settling: Settling) -> None:
    """Who takes the marker away is not done."""
    settling.see(sighted(folder="/marked", marked=True), 0.0)
    settling.see(sighted(folder="/marked"), 1.0)

    assert settling.verdict("/marked", P, 1.0).until is None


def test_a_postponed_file_is_due_then_and_only_then(settling: Settling) -> None:
    """What was planned before no longer counts."""
    settling.see(sighted(), 0.0)
    settling.postpone(F, P, 60.0)
    settling.postpone(F, b"unknown", 1.0)

    assert settling.due(59.0) == []
    assert settling.due(60.0) == [(F, P)]
    assert settling.due(60.0) == []


def test_a_forgotten_file_is_never_due(settling: Settling) -> None:
    """A claimed file is not looked at again."""
    settling.see(sighted(), 0.0)
    settling.forget(F, P)
    settling.forget(F, P)

    assert settling.next_due() is None
    assert settling.due(1000.0) == []
    assert (len(settling), (F, P) in settling, list(settling)) == (0, False, [])
    assert not settling.same(sighted())
    assert not settling.quiet(F, P)


def test_looks_that_never_end_do_not_grow_the_plan(settling: Settling) -> None:
    """A file that is written to for days costs what one file costs."""
    for second in range(5000):
        settling.see(sighted(second), float(second))

    assert len(settling._heap) < 2000
    assert settling.due(5009.0) == [(F, P)]


def test_a_hundred_thousand_candidates_are_planned_in_order(settling: Settling) -> None:
    """Who came first is looked at first, and nobody is handed out twice."""
    for number in range(100_000):
        settling.see(sighted(path=b"%06d.tif" % number), number / 1000)

    due = settling.due(60.0)

    assert [path for _, path in due] == [b"%06d.tif" % n for n in range(50_001)]
    assert settling.next_due() == pytest.approx(60.001)


def test_a_control_file_holds_a_quiet_file_back(settling: Settling) -> None:
    """However quiet and whole it is, it arrives as long as the control file is there, and settles when that is gone."""
    control = b"a.tif.aria2"
    for now in (0.0, 100.0):
        settling.see(sighted(control=control), now)
    assert settling.verdict(F, P, 100.0, extent=Extent(True)).kind == Next.WAIT
    assert settling.verdict(F, P, 100.0, extent=Extent(False, 999)).kind == Next.WAIT
    assert settling.arriving() == [control]

    settling.see(sighted(), 150.0)
    assert settling.verdict(F, P, 150.0).until == 160.0
    settling.see(sighted(), 160.0)
    assert settling.verdict(F, P, 160.0).kind == Next.READY
    assert settling.arriving() == []


def test_a_control_file_that_comes_back_starts_anew(settling: Settling) -> None:
    """A file that was ready is none any more when its transfer begins again."""
    settling.see(sighted(), 0.0)
    settling.see(sighted(), 10.0)
    assert settling.verdict(F, P, 10.0).kind == Next.READY

    assert settling.see(sighted(control=b".a.tif.part"), 11.0) is True
    assert settling.verdict(F, P, 11.0).kind == Next.WAIT


def test_a_marker_overrules_a_control_file(settling: Settling) -> None:
    """Who sets the marker has the last word; a control file that was left over holds nothing back then."""
    for now in (0.0, 1.0):
        settling.see(sighted(folder="/marked", marked=True, control=b"a.tif.aspx"), now)

    assert settling.verdict("/marked", P, 1.0).kind == Next.READY
    assert settling.arriving() == []


def test_marker_and_control_file_are_no_part_of_the_group() -> None:
    """A marker or a control file that is removed later makes no new version."""
    assert unchanged(sighted(marked=True), sighted())
    assert unchanged(sighted(control=b"a.tif.aria2"), sighted())
    assert not unchanged(sighted(), sighted(1))


@pytest.mark.parametrize(
    ("tracked", "missing", "device_changed", "expected"),
    [
        (5, 1, False, "gone"),
        (5, 4, False, "gone"),
        (1, 1, False, "gone"),
        (2, 2, False, "hold"),
        (5, 5, False, "hold"),
        (5, 1, True, "hold"),
        (1, 1, True, "hold"),
    ],
)
def test_files_that_vanish_together_were_unmounted(
    tracked: int, missing: int, device_changed: bool, expected: str
) -> None:
    """Only what vanishes one by one is gone."""
    assert vanished(tracked, missing, device_changed=device_changed) == expected


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.floats(0.01, 20.0), st.sampled_from(["write", "look", "due", "marker"])), max_size=60
    ),
    st.floats(0.0, 30.0),
    st.booleans(),
)
def test_no_file_is_ready_within_the_quiet_time_of_a_write(
    steps: list[tuple[float, str]], settle: float, marker: bool
) -> None:
    """Whatever the order of writes and looks, a ready file was seen as it is for all of the quiet time."""
    rule = SettleRule(settle, marker=marker)
    settling = Settling({F: rule})
    now, version, marked, written = 1000.0, 0, False, 0.0
    looks: list[tuple[float, int, bool]] = []
    for wait, step in steps:
        now += wait
        if step == "write":
            version, written = version + 1, now
        elif step == "marker":
            marked = not marked
        elif step == "look" or settling.due(now):
            settling.see(sighted(version, marked=marked), now)
            looks.append((now, version, marked))
            if settling.verdict(F, P, now).kind == Next.READY:
                equal = [t for t, v, m in looks if v == version and (m or not marker)]
                assert equal[0] + rule.quiet <= now
                assert written < equal[0]
                assert marked or not marker
            elif not marker:
                assert settling.next_due() is not None
