"""What follows from a failure: `(step, error, what is known) → Verdict`. The only place that decides it.

An outage never uses up a file's attempts. An answer that nobody foresaw is retried; an exception that nobody
foresaw is a bug and is not caught here.
"""

from __future__ import annotations

from uploader.core import errors as err
from uploader.core.call_evidence import TRANSIENT
from uploader.core.complete_refusal import says_missing
from uploader.core.model import HoldCause, Scope
from uploader.core.verdicts import (
    Accept,
    Again,
    Circumstances,
    Damaged,
    Doubt,
    Judge,
    LookAgain,
    Lost,
    Park,
    Refail,
    Reject,
    Retry,
    Step,
    Swap,
    Verdict,
    not_taken,
)

LOOK_DELAYS = (10.0, 20.0)
"""Seconds before the second and the third look at a raster that does not open; then it is rejected."""

PROBE_EVERY = 60.0
"""Seconds between two tries at a held platform, organization or staging."""

TARGET_PROBE_EVERY = 300.0
"""Seconds between two tries at a held target, or of a file that is too large: a person has to act there."""

TARGET_WAY_OUT = (
    "Check project_id, collection_id and item_id in the configuration, and that the key's owner is editor "
    "or admin of the project."
)

PROBE_REFUSED = "The platform refuses to list the items there"
"""The first words of a hold that a probe made while idle: such a hold ends when a probe succeeds."""

MORE_ROOM = "Make room there, raise the quota of the disk, or name another one in `[staging] dir`."
"""The way out for a file that finds no room where others do."""

FREE_COPIES = 3
"""How often a file whose private copy is damaged is copied again at once."""

_MOST_DAMAGE_DELAY = 10.0

PUBLISHED_METHOD = "cli"
"""The transfer_method that the published schema knows, where another one is refused."""

MAX_MINTS = 3
"""Signed URLs that are minted for one PUT before its session is given up."""

OF_THE_STORE = frozenset(
    {
        *("IncompleteBody", "OperationAborted", "RequestTimeout", "RequestTimeTooSkewed"),
        *("AccountProblem", "AllAccessDisabled", "NoSuchBucket", "UserProjectAccountProblem"),
    }
)
"""Codes of a store's 4xx that blame the line, its clock or its owner's account, and no file."""

CONVERT_TRIES = 2
"""Tries of a raster on which the child died, the last one alone."""

GONE_EACH_TIME = (
    "It was the last of the attempts that limits.max_attempts allows. If the cluster did not end its workers itself, "
    "give them more memory than convert.memory_limit; then `uploader retry`."
)
"""The way out of a raster whose conversion has lost as many workers as it may."""

LOOKS_FOR_ITEMS = 12
"""Times that items are looked for, over about five minutes, before it is said that they are not there."""

BROKEN_TRIES = 3
"""Tries of a converter that does not come up, after which the machine is held."""


def backoff(tries: int, jitter: float, *, first: float = 1.0, most: float = 60.0) -> float:
    """Seconds to wait after `tries` failures: doubling from `first` to `most`, full jitter, never quite zero."""
    return max(0.05, min(most, first * 2.0 ** min(tries, 16)) * jitter)


def classify(step: Step, error: err.UploaderError, known: Circumstances) -> Verdict:
    """What follows from `error` in `step`."""
    match error:
        case err.LocalError():
            return _local(error, known)
        case err.CredentialRefused():
            return Park(Scope.PLATFORM, HoldCause.KEY_REFUSED, error.reason, error.way_out, PROBE_EVERY)
        case err.StoreRefused():
            return _store(error, known)
        case err.StoreMismatch():
            return _counted(error.reason, known)
        case err.Refused() if error.status not in TRANSIENT:
            return _refused(step, error, known)
        case err.NoAnswer() if step is Step.PUT and known.others_pass and _says_no(error.status):
            return _counted(str(error), known)
        case err.RemoteError():
            wait = backoff(known.tries, known.jitter)
            return Retry(max(wait, error.retry_after or 0.0))
        case _:
            raise error


def _local(error: err.LocalError, known: Circumstances) -> Verdict:
    match error:
        case err.NoSpace():
            return _no_space(error, known)
        case err.ConverterBroken() | err.Shortage() | err.MemoryTooNarrow() | err.ClusterUnavailable():
            return _machine(error, known)
        case err.StagedDamaged():
            return Damaged(error.reason, _damage_delay(known))
        case err.SourceChanged():
            return LookAgain(0.0)
        case _:
            return _raster(error, known)


def _no_space(error: err.NoSpace, known: Circumstances) -> Verdict:
    """All wait for room, unless others find some meanwhile: then it is this file that is too large."""
    cause = HoldCause.FILE_EXCEEDS_STAGING
    if isinstance(error, err.FileTooLarge):  # a person has to act
        return Park(Scope.FILE, cause, error.reason, error.way_out, TARGET_PROBE_EVERY)
    if known.others_pass:
        return Park(Scope.FILE, cause, error.reason, MORE_ROOM, PROBE_EVERY)
    return Park(Scope.STAGING, HoldCause.STAGING_FULL, error.reason, error.way_out, PROBE_EVERY / 2)


def _raster(error: err.LocalError, known: Circumstances) -> Verdict:
    """The raster itself may be the matter."""
    match error:
        case err.RasterUnreadable() | err.SourceUnreadable():
            if known.refusals < len(LOOK_DELAYS):
                return LookAgain(LOOK_DELAYS[known.refusals])
            return Reject(str(error))
        case err.ConversionFailed():
            if known.refusals + 1 < CONVERT_TRIES:
                return Again(0.0)
            return Reject(str(error))
        case err.WorkerGone():
            return Reject(f"{error.reason} {GONE_EACH_TIME}") if known.last else Again(0.0, elsewhere=True)
        case err.RasterRefused():
            return Reject(str(error))
        case _:
            raise error


def _damage_delay(known: Circumstances) -> float:
    """Seconds until a file is copied again: a few times at once, then not in a tight loop."""
    over = known.refusals - FREE_COPIES
    return 0.0 if over < 0 else backoff(over, known.jitter, most=_MOST_DAMAGE_DELAY)


def _machine(error: err.LocalError, known: Circumstances) -> Verdict:
    """The machine, or the cluster, is at fault; but a converter that does not come up may just have been killed.

    Memory is too narrow for one file, and others may need less.
    """
    if isinstance(error, err.MemoryTooNarrow):
        cause = HoldCause.FILE_EXCEEDS_MEMORY
        return Park(Scope.FILE, cause, error.reason, error.way_out, TARGET_PROBE_EVERY)
    if isinstance(error, err.ConverterBroken) and known.tries < BROKEN_TRIES:
        return Retry(backoff(known.tries, known.jitter))
    return Park(Scope.MACHINE, _MACHINE_CAUSES[type(error)], error.reason, error.way_out, PROBE_EVERY / 2)


_MACHINE_CAUSES = {
    err.ConverterBroken: HoldCause.CONVERTER_BROKEN,
    err.ClusterUnavailable: HoldCause.CLUSTER_UNAVAILABLE,
    err.Shortage: HoldCause.MACHINE_SHORT,
}


def _store(error: err.StoreRefused, known: Circumstances) -> Verdict:
    if error.status in TRANSIENT or error.code in OF_THE_STORE:
        return Retry(max(backoff(known.tries, known.jitter), error.retry_after or 0.0))
    return _counted(error.reason, known)


def _says_no(status: int) -> bool:
    """Whether a proxy or a firewall that answers so may mean the file alone, such as its size; 407 means us."""
    return 400 <= status < 500 and status not in TRANSIENT | {407}  # noqa: PLR2004


def _counted(reason: str, known: Circumstances) -> Verdict:
    """A PUT that failed for a reason of its own: a fresh URL a few times, then a fresh session."""
    if known.refusals + 1 < MAX_MINTS:
        return Again(backoff(known.refusals, known.jitter))
    return Refail(reason)


def _refused(step: Step, error: err.Refused, known: Circumstances) -> Verdict:
    if error.status == 403 and "scope" in error.problem.detail.lower():  # noqa: PLR2004
        way_out = "Give the API key the scopes uploads:write and items:read."
        return Park(Scope.PLATFORM, HoldCause.KEY_SCOPE_MISSING, error.reason, way_out, PROBE_EVERY)
    match step:
        case Step.INITIATE:
            return _initiate(error, known)
        case Step.SIGN:
            return _sign(error, known)
        case Step.COMPLETE:
            return _complete(error, known)
        case Step.FAIL:
            return Accept(error.reason)
        case Step.PROBE if error.status == 403 or (error.status == 404 and error.problem.title):  # noqa: PLR2004
            reason = f"{PROBE_REFUSED} ({error.problem.text})."
            return Park(Scope.TARGET, HoldCause.TARGET_REFUSED, reason, TARGET_WAY_OUT, TARGET_PROBE_EVERY)
        case _:
            return Retry(backoff(known.tries + 3, known.jitter))


def _initiate(error: err.Refused, known: Circumstances) -> Verdict:
    if error.status == 402:  # noqa: PLR2004
        return Park(
            Scope.ORGANIZATION,
            HoldCause.QUOTA,
            f"The storage quota does not suffice ({error.problem.text}).",
            "Free space or raise the quota on the platform; uploads go on by themselves within a minute.",
            PROBE_EVERY,
        )
    if "transfer_method" in error.problem.fields and not known.swapped:
        return Swap(PUBLISHED_METHOD)
    if known.joins and error.status in (404, 410) and error.problem.title:
        return Park(
            Scope.TARGET,
            HoldCause.SCENE_ITEM_GONE,
            f"The item that files of a scene are to join is not there any more ({error.problem.text}).",
            "Restore it on the platform, and they follow by themselves. Or have the scene sent anew, with all of it "
            "that lies in the drop folders, by `uploader retry` of one of them; or give them up by `uploader forget`.",
            TARGET_PROBE_EVERY,
        )
    return Park(
        Scope.TARGET,
        HoldCause.TARGET_REFUSED,
        f"The platform refuses uploads there ({error.problem.text}).",
        TARGET_WAY_OUT,
        TARGET_PROBE_EVERY,
    )


def _sign(error: err.Refused, known: Circumstances) -> Verdict:
    match error.status:
        case 404 | 409 | 410 if error.problem.title:
            return Lost(error.reason)
        case 404 | 409 | 410:  # a framework's bare word is not the platform's
            return Retry(backoff(known.tries + 3, known.jitter))
        case 400 | 422:
            return Reject(not_taken(error.problem.text))
        case _:
            return Refail(error.reason)


def _complete(error: err.Refused, known: Circumstances) -> Verdict:
    if error.status == 422 and says_missing(error.problem):  # noqa: PLR2004
        return Judge(error.problem)
    if known.doubtful or error.status == 409:  # noqa: PLR2004
        return Doubt(error.reason)
    match error.status:
        case 404 | 410 if error.problem.title:
            return Lost(error.reason)
        case 402:
            return _initiate(error, known)
        case 400 | 413 | 422:
            return Judge(error.problem)
        case 403:
            return Park(
                Scope.TARGET,
                HoldCause.TARGET_REFUSED,
                f"The platform refuses to make the items ({error.problem.text}).",
                "Check that the key's owner is editor or admin of the project.",
                TARGET_PROBE_EVERY,
            )
        case _:
            return Retry(backoff(known.tries + 3, known.jitter))
