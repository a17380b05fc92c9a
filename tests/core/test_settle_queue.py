"""When a file counts as quiet and whole, who is looked at next, and who is ready to be claimed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uploader.core import settle_places
from uploader.core.model import Fingerprint, Sidecar, Sighting
from uploader.core.settle_queue import WITHDRAWN, SettleQueue
from uploader.core.settle_rules import Checked, Extent, Next, SettleRule

pytestmark = pytest.mark.unit

F, P = "/drop", b"a.tif"
WHOLE, FREE, HELD = Checked(), Checked(held=False), Checked(held=True)


def sighted(
    version: int = 0,
    *,
    sidecar: int | None = None,
    marked: bool = False,
    control: bytes = b"",
    path: bytes = P,
) -> Sighting:
    """A look at a file that was written to `version` times."""
    sidecars = () if sidecar is None else (Sidecar(b"a.tfw", ".tfw", Fingerprint(1, 3, 10, 0, sidecar)),)
    return Sighting(F, path, Fingerprint(1, 2, 100, 0, version), sidecars, marked, control)


def numbered(number: int, version: int = 0) -> Sighting:
    """A look at one of several files."""
    return sighted(version, path=b"%d.tif" % number)


def due(queue: SettleQueue, now: float) -> list[bytes]:
    """The paths that are handed out to be looked at."""
    return list(queue.next_looks(now, 1_000_000))


@pytest.fixture
def queue() -> SettleQueue:
    """Ten seconds of quiet, and room for four files."""
    return SettleQueue(SettleRule(10.0, "oldest"), 4)


@pytest.fixture
def marked() -> SettleQueue:
    """A folder with ready markers."""
    return SettleQueue(SettleRule(10.0, "oldest", marker=True), 4)


# -- quiet and whole ---------------------------------------------------------------------------------------


def test_a_file_is_ready_when_two_looks_lie_far_enough_apart(queue: SettleQueue) -> None:
    """Quiet is counted from the first look that saw the file as it is."""
    assert queue.seen(1, sighted(), 100.0) is Next.WAIT
    assert queue.looked(1, sighted(), 100.0, WHOLE).kind is Next.WAIT
    assert due(queue, 109.9) == []
    assert due(queue, 110.0) == [P]
    assert queue.looked(1, sighted(), 110.0, WHOLE).kind is Next.READY
    assert queue.claimable() == ((1, sighted()),)


@pytest.mark.parametrize("other", [sighted(1), sighted(sidecar=0)])
def test_any_change_of_the_group_starts_anew(queue: SettleQueue, other: Sighting) -> None:
    """A change of the raster, or a sidecar that arrives, resets the quiet."""
    queue.seen(1, sighted(), 0.0)
    assert queue.seen(1, other, 9.0) is Next.CHANGED

    assert queue.looked(1, other, 10.0, WHOLE).until == 19.0
    assert queue.next_look() == 19.0


def test_a_change_of_a_sidecar_alone_starts_anew(queue: SettleQueue) -> None:
    """The group settles together."""
    queue.seen(1, sighted(sidecar=0), 0.0)
    queue.seen(1, sighted(sidecar=1), 9.0)

    assert queue.looked(1, sighted(sidecar=1), 12.0, WHOLE).kind is Next.WAIT


def test_time_that_passes_without_a_look_is_not_quiet(queue: SettleQueue) -> None:
    """Nobody knows what happened while nobody looked."""
    queue.seen(1, sighted(), 0.0)

    assert queue.looked(1, sighted(1), 1000.0, WHOLE).kind is Next.CHANGED
    assert queue.next_look() == 1010.0


def test_a_file_that_a_writer_holds_waits_however_quiet(queue: SettleQueue) -> None:
    """A stalled copy is not finished."""
    queue.seen(1, sighted(), 0.0)

    assert queue.looked(1, sighted(), 10.0, HELD).until == 20.0
    assert due(queue, 20.0) == [P]
    assert queue.looked(1, sighted(), 20.0, FREE).kind is Next.READY


def test_nothing_is_ready_that_was_not_checked(queue: SettleQueue) -> None:
    """A look that began when the file was still another one asked nobody for a writer: it is made once more, now."""
    queue.seen(1, sighted(), 0.0)
    due(queue, 10.0)

    assert queue.looked(1, sighted(), 10.0).kind is Next.WAIT
    assert due(queue, 10.0) == [P]


def test_a_tiff_that_ends_early_is_short(queue: SettleQueue) -> None:
    """The verdict says how many bytes the directory needs."""
    queue.seen(1, sighted(), 0.0)

    verdict = queue.looked(1, sighted(), 10.0, Checked(False, Extent(whole=False, needs=200)))

    assert (verdict.kind, verdict.needs) == (Next.SHORT, 200)
    assert queue.claimable() == ()


def test_what_cannot_be_told_does_not_hold_a_file_up(queue: SettleQueue) -> None:
    """File systems without leases and files that are no TIFF settle by quiet alone."""
    queue.seen(1, sighted(), 0.0)

    assert queue.looked(1, sighted(), 10.0, Checked(None, Extent(None))).kind is Next.READY


def test_a_marked_folder_waits_for_the_marker_and_two_looks(marked: SettleQueue) -> None:
    """Without the marker a file takes no place; with it, two equal looks a second apart are enough."""
    assert marked.seen(1, sighted(), 0.0) is None
    assert marked.seen(1, sighted(), 500.0) is None
    assert (marked.next_look(), marked.expected(faulty=False)) == (None, 1)

    marked.seen(1, sighted(marked=True), 501.0)
    assert marked.next_look() == 502.0
    assert marked.looked(1, sighted(marked=True), 502.0, HELD).kind is Next.READY


def test_a_marker_that_goes_again_stops_the_taking(marked: SettleQueue) -> None:
    """Who takes the marker away is not done; the file gives its place back, ready or not."""
    for number, sighting in ((1, sighted(marked=True)), (2, sighted(marked=True, path=b"b.tif"))):
        marked.seen(number, sighting, 0.0)
        marked.looked(number, sighting, 1.0, WHOLE)
    assert marked.looked(2, sighted(path=b"b.tif"), 2.0, WHOLE).kind is Next.WAIT
    assert marked.seen(1, sighted(), 2.0) is Next.WAIT

    assert marked.id_of(P) is None
    assert marked.expected(faulty=False) == 2


def test_a_control_file_holds_a_quiet_file_back(queue: SettleQueue) -> None:
    """However quiet and whole it is, it arrives as long as the control file is there, and settles when that is gone."""
    control = b"a.tif.aria2"
    queue.seen(1, sighted(control=control), 0.0)
    assert queue.looked(1, sighted(control=control), 100.0, Checked(None, Extent(True))).until == 130.0
    short = Checked(None, Extent(False, 999))
    assert queue.looked(1, sighted(control=control), 100.0, short).kind is Next.WAIT
    assert queue.arriving() == [control]
    assert not queue.coming(100.0, within=10.0), "nobody knows when it ends"

    queue.seen(1, sighted(), 110.0)
    assert queue.coming(110.0, within=10.0)
    assert queue.looked(1, sighted(), 115.0, WHOLE).until == 120.0
    assert queue.looked(1, sighted(), 120.0, WHOLE).kind is Next.READY
    assert queue.arriving() == []


def test_a_control_file_that_comes_back_starts_anew(queue: SettleQueue) -> None:
    """A file that was ready is none any more when its transfer begins again."""
    queue.seen(1, sighted(), 0.0)
    assert queue.looked(1, sighted(), 10.0, WHOLE).kind is Next.READY

    assert queue.seen(1, sighted(control=b".a.tif.part"), 11.0) is Next.CHANGED
    assert queue.claimable() == ()
    assert queue.looked(1, sighted(control=b".a.tif.part"), 30.0, WHOLE).kind is Next.WAIT


def test_a_marker_overrules_a_control_file(marked: SettleQueue) -> None:
    """Who sets the marker has the last word; a control file that was left over holds nothing back then."""
    sighting = sighted(marked=True, control=b"a.tif.aspx")
    marked.seen(1, sighting, 0.0)

    assert marked.looked(1, sighting, 1.0, WHOLE).kind is Next.READY
    assert marked.arriving() == []


@pytest.mark.parametrize("quiet", [10.0, 60.0])
def test_a_turn_asks_a_full_queue_at_no_cost_of_its_files(quiet: float) -> None:
    """The planner asks at each turn, so that what it asks for must not be looked for among twenty thousand files."""
    queue = SettleQueue(SettleRule(quiet, "oldest"), 20_000)
    for number in range(1, 20_001):
        queue.seen(number, numbered(number), 0.0)
    began = time.process_time()
    for _ in range(200):
        asked = queue.unfinished(), queue.expected(faulty=False), queue.coming(0.0, within=10.0)

    assert asked == (0, 20_000, quiet <= 10.0)
    assert time.process_time() - began < 0.05, "a look at each file takes ten times as long"


# -- who is looked at next -----------------------------------------------------------------------------------


def test_a_deferred_file_is_due_then_and_only_then(queue: SettleQueue) -> None:
    """What was planned before no longer counts, and looks in passing change nothing."""
    queue.seen(1, sighted(), 0.0)
    queue.defer(1, 60.0)
    queue.seen(1, sighted(), 5.0)

    assert due(queue, 59.0) == []
    assert due(queue, 60.0) == [P]
    assert due(queue, 60.0) == []


def test_a_file_that_was_let_go_is_never_due(queue: SettleQueue) -> None:
    """A claimed file is not looked at again."""
    queue.seen(1, sighted(), 0.0)
    queue.let_go(1)
    queue.let_go(1)

    assert queue.next_look() is None
    assert due(queue, 1000.0) == []
    assert (queue.id_of(P), queue.path_of(1)) == (None, None)


def test_looks_that_never_end_do_not_grow_the_plan(queue: SettleQueue) -> None:
    """A file that is written to for days costs what one file costs."""
    for second in range(5000):
        queue.seen(1, sighted(second), float(second))

    assert len(queue._places.looks._heap) < 2000
    assert due(queue, 5009.0) == [P]


def test_a_hundred_thousand_files_are_planned_in_order() -> None:
    """Who came first is looked at first, and nobody is handed out twice."""
    queue = SettleQueue(SettleRule(10.0, "oldest"), 100_000)
    for number in range(100_000):
        queue.seen(number + 1, sighted(path=b"%06d.tif" % number), number / 1000)

    assert due(queue, 60.0) == [b"%06d.tif" % n for n in range(50_001)]
    assert queue.next_look() == pytest.approx(60.001)


def test_a_path_that_is_asked_for_comes_first(queue: SettleQueue) -> None:
    """Beside a known one stands its state, so that it is checked if it is untouched."""
    queue.seen(1, sighted(), 0.0)
    queue.ask(b"b.tif")
    queue.ask(P)
    assert (queue.asked, queue.next_look()) == (True, float("-inf"))

    looks = queue.next_looks(0.0, 1)
    assert looks == {b"b.tif": None}
    assert queue.next_looks(0.0, 9)[P] is not None
    assert not queue.asked


# -- places --------------------------------------------------------------------------------------------------


def test_places_are_counted(queue: SettleQueue) -> None:
    """A new file takes one, letting go gives it back, looking again does neither."""
    for number in (1, 2, 3):
        queue.seen(number, numbered(number), 0.0)
    queue.seen(1, numbered(1), 0.0)
    queue.let_go(2)
    queue.let_go(2)

    assert (queue._places.count, queue._places.room, queue._places.roomy) == (2, 2, True)
    assert queue.expected(faulty=False) == 2
    assert (queue.id_of(b"2.tif"), queue.path_of(1)) == (None, b"1.tif")


def test_who_is_counted_and_stands_in_no_line_was_claimed_meanwhile(queue: SettleQueue) -> None:
    """The journal may count while a claim ends: nobody waits for such a file until the next scan."""
    queue.seen(1, numbered(1), 0.0)
    queue.let_go(1)
    queue.counted(1)
    assert queue.expected(faulty=False) == 0

    queue.ask(b"2.tif")
    queue.counted(1)
    assert queue.expected(faulty=False) == 1


def test_what_is_deferred_is_not_expected_soon(queue: SettleQueue) -> None:
    """Until it is written to, or hastened to its next look."""
    for number in (1, 2):
        queue.seen(number, numbered(number), 0.0)
        queue.defer(number, 60.0)
        queue.defer(number, 60.0)
    assert queue.expected(faulty=True) == 0
    assert queue.next_look() == 60.0

    queue.seen(1, numbered(1, version=1), 0.0)
    queue.hasten(0.0)

    assert queue.expected(faulty=True) == 1
    assert due(queue, 0.0) == [b"2.tif"]


def test_a_newer_row_takes_the_place_of_an_older_one(queue: SettleQueue) -> None:
    """A path has one row at a time."""
    queue.seen(1, numbered(1), 0.0)
    queue.seen(7, numbered(1), 0.0)

    assert (queue._places.count, queue.id_of(b"1.tif"), queue.path_of(1)) == (1, 7, None)


def test_enough_are_ready(queue: SettleQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks stop when there is more than can be claimed soon; the earliest come first."""
    monkeypatch.setattr(settle_places, "READY_MOST", 2)
    queue.seen(4, numbered(4), 0.0)
    for number in (3, 1):
        queue.seen(number, numbered(number), 0.0)
        assert queue.next_look() is not None
        queue.ready(number, numbered(number))

    assert (queue.next_look(), due(queue, 100.0)) == (None, [])
    assert [file_id for file_id, _ in queue.claimable()] == [1, 3]


def test_who_waits_too_long_gives_way_and_comes_back_when_all_others_had_their_turn() -> None:
    """Of two places one is left to the line; who left it is let in when the line was gone through."""
    queue = SettleQueue(SettleRule(10.0, "oldest"), 2)
    rows = [(number, b"%d.tif" % number) for number in (1, 2, 3)]

    def read(now: float) -> list[bytes]:
        """Read the next page of the line, and look at those who have no place."""
        page = queue.next_page(now)
        assert page is not None
        queue.paged(page, [row for row in rows if row[0] > page.after][: page.most])
        asked = list(queue.next_looks(-1.0, 9))
        for path in asked:
            queue.seen(int(path[:1]), sighted(path=path), now)
        return asked

    for number in (1, 2, 3):
        queue.seen(number, numbered(number), float(number))
    assert (queue.line.waiting, queue.next_page(60.9), queue.next_turn()) == (1, None, 61.0)

    assert read(61.0) == [b"1.tif"], "its turn is over, and it is turned away"
    assert (queue.id_of(b"1.tif"), queue.line.unsettled) == (None, 1)
    assert read(61.0) == []
    assert read(61.0) == [b"3.tif"], "others come first"
    assert (queue.id_of(b"3.tif"), queue.next_page(61.0)) == (3, None)
    queue.let_go(3)
    assert read(61.0) == []
    assert read(61.0) == [b"1.tif"], "now the line has been gone through"
    assert queue.id_of(b"1.tif") == 1


# -- claims ----------------------------------------------------------------------------------------------------


def ready(queue: SettleQueue, file_id: int) -> Sighting:
    """Let a file be claimed from now on."""
    queue.seen(file_id, numbered(file_id), 0.0)
    queue.ready(file_id, numbered(file_id))
    return numbered(file_id)


def test_a_file_that_ended_is_neither_offered_nor_looked_at_and_keeps_its_place(queue: SettleQueue) -> None:
    """Until its owner lets go of it: what was read of it before is no longer true, and it must not come back."""
    ready(queue, 1)
    assert queue.claim_started(1) == numbered(1)
    assert [file_id for file_id, _ in queue.claimable()] == [1], "it still counts while it is copied"
    queue.claim_ended(1)

    assert (queue.claimable(), queue.path_of(1), queue.id_of(b"1.tif")) == ((), None, 1)
    assert queue.seen(1, numbered(1), 1.0) is Next.WAIT
    assert (queue.expected(faulty=False), due(queue, 100.0)) == (0, [])
    queue.let_go(1)
    assert (queue.id_of(b"1.tif"), due(queue, 100.0)) == (None, [])


@pytest.mark.parametrize("ended", [False, True])
def test_a_change_during_the_claim_makes_a_new_version(queue: SettleQueue, ended: bool) -> None:
    """The path is looked at again when the claim has ended, also where the change was seen after it."""
    ready(queue, 1)
    queue.claim_started(1)
    if ended:
        queue.claim_ended(1)
    queue.seen(1, numbered(1, version=1), 1.0)
    assert (queue.claimable(), queue.under_claim(1)) == ((), True)
    queue.claim_ended(1)
    assert queue.asked, "it is never forgotten in between"
    assert due(queue, 1.0) == [b"1.tif"]
    queue.let_go(1)

    assert due(queue, 1.0) == [b"1.tif"], "what a look has found before is not believed"


def test_a_hold_takes_back_what_is_ready_but_not_what_is_being_copied(queue: SettleQueue) -> None:
    """Copies that run go on."""
    ready(queue, 1)
    ready(queue, 2)
    queue.claim_started(1)
    queue.withdraw(5.0)
    queue.defer(1, 5.0)

    assert [file_id for file_id, _ in queue.claimable()] == [1]
    assert queue.next_look() == 5.0 + WITHDRAWN


def test_a_claim_that_failed_leaves_a_file_that_settles(queue: SettleQueue) -> None:
    """It is looked at when it is told to, and becomes ready again."""
    ready(queue, 1)
    queue.claim_started(1)
    queue.returned(1, 20.0)

    assert (queue.claimable(), queue.under_claim(1), queue.next_look()) == ((), False, 20.0)
    assert queue.looked(1, numbered(1), 20.0, WHOLE).kind is Next.READY
    queue.seen(1, numbered(1, version=1), 21.0)
    queue.let_go(1)
    assert due(queue, 100.0) == [], "the claim that failed is forgotten"


@pytest.mark.parametrize("let_go_first", [False, True])
def test_a_file_that_was_claimed_before_comes_back(marked: SettleQueue, let_go_first: bool) -> None:
    """It is expected until it is found in the journal, then looked at in its time; its marker was there before."""
    sighting = sighted(marked=True)
    marked.seen(1, sighting, 0.0)
    marked.ready(1, sighting)
    marked.claim_started(1)
    marked.claim_ended(1)
    if let_go_first:
        marked.let_go(1)
    marked.returned(1, 30.0)
    marked.returned(2, 30.0)
    marked.let_go(1)
    assert (marked.returning, marked.expected(faulty=False)) == ((1, 2), 2)

    marked.brought_back((1, 2), {1: sighted()}, 5.0)
    assert (marked.returning, marked.expected(faulty=False), marked.next_look()) == ((), 1, 30.0)
    assert marked.looked(1, sighting, 30.0, WHOLE).kind is Next.READY


# -- what is expected --------------------------------------------------------------------------------------


def test_what_grows_or_is_open_is_not_expected_soon() -> None:
    """A batch waits for files that are quiet by and by, and not for those that somebody still writes to."""
    queue = SettleQueue(SettleRule(10.0, "oldest"), 4)
    queue.seen(1, numbered(1, version=1), 0.0)
    assert queue.coming(0.0, within=10.0)
    queue.seen(1, numbered(1, version=2), 5.0)
    assert queue.coming(5.0, within=10.0), "begun a moment ago, and maybe finished"
    queue.seen(1, numbered(1, version=3), 15.0)
    assert not queue.coming(15.0, within=10.0), "it grows"
    queue.seen(1, numbered(1, version=3), 15.0)
    assert queue.coming(15.0, within=10.0), "it has stopped"
    queue.looked(1, numbered(1, version=3), 25.0, HELD)
    assert not queue.coming(25.0, within=10.0), "it is open"
    queue.let_go(1)
    assert not queue.coming(25.0, within=10.0)


def test_what_needs_longer_to_settle_is_not_expected_sooner() -> None:
    """With a long quiet time only the last part of it is within the linger time."""
    queue = SettleQueue(SettleRule(60.0, "oldest"), 4)
    queue.seen(1, numbered(1), 0.0)

    assert not queue.coming(0.0, within=10.0)
    assert queue.coming(50.0, within=10.0)


def test_rules_that_change_are_obeyed_from_then_on(queue: SettleQueue) -> None:
    """A longer quiet time takes back what was ready, a shorter one looks sooner; markers are asked for."""
    ready(queue, 1)
    ready(queue, 2)
    queue.claim_started(2)
    queue.change_rule(SettleRule(100.0, "oldest"))
    assert ([file_id for file_id, _ in queue.claimable()], queue.next_look()) == ([2], 100.0)

    queue.change_rule(SettleRule(1.0, "oldest"))
    assert queue.next_look() == 1.0

    queue.change_rule(SettleRule(1.0, "oldest", marker=True))
    assert (queue.id_of(b"1.tif"), queue.under_claim(2), queue.line.waiting) == (None, True, 1)


def test_it_is_known_whether_any_is_being_copied(queue: SettleQueue) -> None:
    """From the start of a claim to its end, or until the file comes back; not while it may only be claimed."""
    ready(queue, 1)
    ready(queue, 2)
    assert not queue.copying
    queue.claim_started(1)
    queue.claim_started(2)
    assert queue.copying
    queue.claim_ended(1)
    assert queue.copying
    queue.returned(2, 50.0)
    assert not queue.copying


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
    rule = SettleRule(settle, "oldest", marker=marker)
    queue = SettleQueue(rule, 1)
    now, version, marked, written = 1000.0, 0, False, 0.0
    looks: list[tuple[float, int, bool]] = []
    for wait, step in steps:
        now += wait
        if step == "write":
            version, written = version + 1, now
        elif step == "marker":
            marked = not marked
        elif step == "look" or due(queue, now):
            queue.seen(1, sighted(version, marked=marked), now)
            looks.append((now, version, marked))
            known = queue.id_of(P) is not None
            if known and queue.looked(1, sighted(version, marked=marked), now, WHOLE).kind is Next.READY:
                equal = [t for t, v, m in looks if v == version and (m or not marker)]
                assert equal[0] + rule.quiet <= now
                assert written < equal[0]
                assert marked or not marker
            elif known and not queue.claimable() and not marker:
                assert queue.next_look() is not None


def test_who_has_a_place_is_told_up_to_a_number(queue: SettleQueue) -> None:
    """Whoever gets something ready for the first of them need not count all."""
    assert queue.first(3) == []
    for number in range(1, 5):
        queue.seen(number, numbered(number), 0.0)
    assert (queue.first(0), queue.first(2)) == ([], [b"1.tif", b"2.tif"])
    assert len(queue.first(9)) == 4
