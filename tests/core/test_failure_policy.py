"""The table of failures: one line for each step and error, and what follows."""

from __future__ import annotations

import inspect

import pytest

from uploader.core import errors as err
from uploader.core import verdicts as fail
from uploader.core.failure_policy import FREE_COPIES, backoff, classify
from uploader.core.model import HoldCause, Scope
from uploader.core.verdicts import Circumstances, Step

pytestmark = pytest.mark.unit


def refused(
    status: int,
    detail: str = "no",
    *,
    fields: tuple[str, ...] = (),
    after: float | None = None,
    title: str = "No",
) -> err.Refused:
    """A clear answer of the platform."""
    return err.Refused("it said no", err.Problem(status, title, detail, fields=fields), retry_after=after)


CASES = [
    (Step.INITIATE, err.Unreachable("x"), Circumstances(), fail.Retry),
    (Step.INITIATE, err.NoAnswer("x"), Circumstances(), fail.Retry),
    (Step.INITIATE, refused(429), Circumstances(), fail.Retry),
    (Step.INITIATE, refused(503), Circumstances(), fail.Retry),
    (Step.INITIATE, refused(500), Circumstances(), fail.Retry),
    (Step.INITIATE, refused(402), Circumstances(), fail.Park),
    (Step.INITIATE, refused(403), Circumstances(), fail.Park),
    (Step.INITIATE, refused(404), Circumstances(), fail.Park),
    (Step.INITIATE, refused(409), Circumstances(), fail.Park),
    (Step.INITIATE, refused(422, fields=("transfer_method",)), Circumstances(), fail.Swap),
    (Step.INITIATE, refused(422, fields=("transfer_method",)), Circumstances(swapped=True), fail.Park),
    (Step.INITIATE, err.CredentialRefused("x"), Circumstances(), fail.Park),
    (Step.SIGN, refused(404), Circumstances(), fail.Lost),
    (Step.SIGN, refused(410), Circumstances(), fail.Lost),
    (Step.SIGN, refused(409), Circumstances(), fail.Lost),
    (Step.SIGN, refused(404, title=""), Circumstances(), fail.Retry),
    (Step.SIGN, refused(422), Circumstances(), fail.Reject),
    (Step.SIGN, refused(403), Circumstances(), fail.Refail),
    (Step.SIGN, refused(403, "missing scope 'uploads:write'"), Circumstances(), fail.Park),
    (Step.PUT, err.StoreRefused("x", 403, "ExpiredToken"), Circumstances(), fail.Again),
    (Step.PUT, err.StoreRefused("x", 403), Circumstances(refusals=2), fail.Refail),
    (Step.PUT, err.StoreRefused("x", 503), Circumstances(refusals=9), fail.Retry),
    (Step.PUT, err.StoreRefused("x", 400, "RequestTimeout"), Circumstances(refusals=9), fail.Retry),
    (Step.PUT, err.StoreRefused("x", 403, "RequestTimeTooSkewed"), Circumstances(refusals=9), fail.Retry),
    (Step.PUT, err.StoreMismatch("x"), Circumstances(), fail.Again),
    (Step.PUT, err.StoreMismatch("x"), Circumstances(refusals=2), fail.Refail),
    (Step.PUT, err.StagedDamaged("x"), Circumstances(), fail.Damaged),
    (Step.PUT, err.NoAnswer("x"), Circumstances(tries=99), fail.Retry),
    (Step.PUT, err.NoAnswer("x", status=413), Circumstances(tries=99, refusals=9), fail.Retry),
    (Step.PUT, err.NoAnswer("x", status=413), Circumstances(others_pass=True), fail.Again),
    (Step.PUT, err.NoAnswer("x", status=413), Circumstances(refusals=2, others_pass=True), fail.Refail),
    (Step.PUT, err.NoAnswer("x", status=407), Circumstances(refusals=9, others_pass=True), fail.Retry),
    (Step.PUT, err.NoAnswer("x", status=429), Circumstances(refusals=9, others_pass=True), fail.Retry),
    (Step.PUT, err.NoAnswer("x", status=502), Circumstances(refusals=9, others_pass=True), fail.Retry),
    (Step.PUT, err.NoAnswer("x"), Circumstances(refusals=9, others_pass=True), fail.Retry),
    (Step.COMPLETE, err.NoAnswer("x", status=413), Circumstances(others_pass=True), fail.Retry),
    (Step.CONVERT, err.ClusterUnavailable("x"), Circumstances(), fail.Park),
    (Step.CONVERT, err.WorkerGone("x"), Circumstances(refusals=99, tries=99), fail.Again),
    (Step.CONVERT, err.WorkerGone("x"), Circumstances(last=True), fail.Reject),
    (Step.COMPLETE, err.NoAnswer("x"), Circumstances(), fail.Retry),
    (Step.COMPLETE, refused(500), Circumstances(), fail.Retry),
    (Step.COMPLETE, refused(422), Circumstances(), fail.Judge),
    (Step.COMPLETE, refused(422), Circumstances(doubtful=True), fail.Doubt),
    (Step.COMPLETE, refused(422, "missing objects"), Circumstances(doubtful=True), fail.Judge),
    (Step.COMPLETE, refused(404), Circumstances(), fail.Lost),
    (Step.COMPLETE, refused(404, title=""), Circumstances(), fail.Retry),
    (Step.COMPLETE, refused(404), Circumstances(doubtful=True), fail.Doubt),
    (Step.COMPLETE, refused(409), Circumstances(), fail.Doubt),
    (Step.INITIATE, refused(421), Circumstances(), fail.Retry),
    (Step.COMPLETE, refused(421), Circumstances(doubtful=True), fail.Retry),
    (Step.COMPLETE, refused(403), Circumstances(), fail.Park),
    (Step.FAIL, refused(404), Circumstances(), fail.Accept),
    (Step.FAIL, refused(409), Circumstances(), fail.Accept),
    (Step.FAIL, err.NoAnswer("x"), Circumstances(), fail.Retry),
    (Step.READ, refused(404), Circumstances(), fail.Retry),
    (Step.CLAIM, err.SourceChanged("x"), Circumstances(), fail.LookAgain),
    (Step.CLAIM, err.SourceUnreadable("x"), Circumstances(), fail.LookAgain),
    (Step.CLAIM, err.SourceUnreadable("x"), Circumstances(refusals=2), fail.Reject),
    (Step.CLAIM, err.NoSpace("x"), Circumstances(), fail.Park),
    (Step.CONVERT, err.RasterUnreadable("x"), Circumstances(), fail.LookAgain),
    (Step.CONVERT, err.RasterUnreadable("x"), Circumstances(refusals=2), fail.Reject),
    (Step.CONVERT, err.RasterRefused("x"), Circumstances(), fail.Reject),
    (Step.CONVERT, err.ConversionFailed("x"), Circumstances(), fail.Again),
    (Step.CONVERT, err.ConversionFailed("x"), Circumstances(refusals=1), fail.Reject),
    (Step.CONVERT, err.NoSpace("x"), Circumstances(), fail.Park),
    (Step.CLAIM, err.FileTooLarge("x"), Circumstances(), fail.Park),
    (Step.CONVERT, err.ConverterBroken("x"), Circumstances(refusals=9), fail.Retry),
    (Step.CONVERT, err.ConverterBroken("x"), Circumstances(tries=3), fail.Park),
    (Step.CONVERT, err.Shortage("x"), Circumstances(), fail.Park),
    (Step.CONVERT, err.Shortage("x"), Circumstances(tries=99, refusals=9), fail.Park),
    (Step.CONVERT, err.MemoryTooNarrow("x"), Circumstances(tries=99), fail.Park),
]


@pytest.mark.parametrize(("step", "error", "known", "verdict"), CASES)
def test_verdict(step: Step, error: err.UploaderError, known: Circumstances, verdict: type) -> None:
    """Each failure has the verdict that the table of conditions gives it."""
    assert isinstance(classify(step, error, known), verdict)


def test_every_error_of_the_doors_is_in_the_table() -> None:
    """A new error class needs a line here before it is raised."""
    start = {err.UploaderError, err.RemoteError, err.LocalError}
    refusing_to_start = {err.ConfigurationError, err.JournalError, err.AlreadyRunning}
    classes = {c for _, c in inspect.getmembers(err, inspect.isclass) if issubclass(c, err.UploaderError)}

    assert classes - start - refusing_to_start == {type(error) for _, error, _, _ in CASES}


def test_a_copy_that_is_removed_for_ever_is_not_made_in_a_tight_loop() -> None:
    """A few times at once, then with growing delays, and never given up."""
    delays = [
        verdict.after
        for looks in (0, FREE_COPIES - 1, FREE_COPIES, FREE_COPIES + 2, 10_000)
        if isinstance(
            verdict := classify(Step.CONVERT, err.StagedDamaged("x"), Circumstances(0, looks, 1.0)),
            fail.Damaged,
        )
    ]
    assert delays == [0.0, 0.0, 1.0, 4.0, 10.0]


def test_an_outage_never_uses_up_anything() -> None:
    """However long it lasts, the verdict on an outage is to try again."""
    for tries in (0, 10, 10_000):
        for step in (Step.INITIATE, Step.PUT, Step.COMPLETE, Step.FAIL, Step.READ):
            assert isinstance(classify(step, err.NoAnswer("x"), Circumstances(tries, 0, 0.5)), fail.Retry)


def test_retry_after_is_obeyed() -> None:
    """The platform's own word on when to come back wins over a shorter wait of ours."""
    verdict = classify(Step.SIGN, refused(429, after=37.0), Circumstances(jitter=0.1))

    assert verdict == fail.Retry(37.0)


def test_backoff_doubles_to_a_minute() -> None:
    """One second, two, four, and never more than a minute, jittered from nothing to the whole."""
    assert [backoff(n, 1.0) for n in (0, 1, 2, 6, 60)] == [1.0, 2.0, 4.0, 60.0, 60.0]
    assert backoff(6, 0.0) == 0.05


def test_quota_holds_the_organization_and_refusal_the_target() -> None:
    """The scope of a hold is as wide as its cause and no wider."""
    quota = classify(Step.INITIATE, refused(402), Circumstances())
    role = classify(Step.INITIATE, refused(403), Circumstances())

    assert isinstance(quota, fail.Park)
    assert quota.scope is Scope.ORGANIZATION
    assert isinstance(role, fail.Park)
    assert role.scope is Scope.TARGET


def test_a_shortage_holds_the_machine() -> None:
    """Without processes nothing converts."""
    processes = classify(Step.CONVERT, err.Shortage("x"), Circumstances())

    assert isinstance(processes, fail.Park)
    assert (processes.scope, processes.cause) == (Scope.MACHINE, HoldCause.MACHINE_SHORT)


def test_narrow_memory_holds_the_file() -> None:
    """Smaller rasters may do with what there is."""
    memory = classify(Step.CONVERT, err.MemoryTooNarrow("x"), Circumstances())

    assert isinstance(memory, fail.Park)
    assert (memory.scope, memory.cause) == (Scope.FILE, HoldCause.FILE_EXCEEDS_MEMORY)


def test_what_staging_refuses_while_it_takes_others_holds_the_file() -> None:
    """A limit of the size of files says so at once, a full disk when others have passed; it is not tried soon."""
    too_large = classify(Step.CLAIM, err.FileTooLarge("x", "y"), Circumstances())
    passed = classify(Step.CONVERT, err.NoSpace("x"), Circumstances(others_pass=True))
    full = classify(Step.CONVERT, err.NoSpace("x"), Circumstances())

    assert isinstance(too_large, fail.Park)
    assert isinstance(passed, fail.Park)
    assert isinstance(full, fail.Park)
    for own in (too_large, passed):
        assert (own.scope, own.cause) == (Scope.FILE, HoldCause.FILE_EXCEEDS_STAGING)
        assert own.way_out
        assert own.after > full.after
    assert full.scope is Scope.STAGING


def test_an_unforeseen_exception_is_not_swallowed() -> None:
    """A bug stops the daemon with a traceback."""
    with pytest.raises(err.ConfigurationError):
        classify(Step.PUT, err.ConfigurationError("a bug"), Circumstances())
