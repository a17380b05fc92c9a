"""When the platform is asked although there is nothing to upload."""

from __future__ import annotations

import pytest

from uploader.core.failure_policy import PROBE_EVERY, PROBE_REFUSED
from uploader.core.idle_probes import FAILING, HELD, IDLE, by_probe, probe_after
from uploader.core.model import Hold, Scope

pytestmark = pytest.mark.unit

PROBED = Hold(Scope.TARGET, "p", f"{PROBE_REFUSED} (no role).")
REAL = Hold(Scope.TARGET, "p", "The platform refuses uploads there (no role).")


@pytest.mark.parametrize(
    ("holds", "failures", "seconds"),
    [
        ([], 0, IDLE),
        ([REAL, Hold(Scope.ORGANIZATION, "", "Full.")], 0, IDLE),
        ([Hold(Scope.PLATFORM, "", "Refused.")], 0, HELD),
        ([PROBED], 0, HELD),
        ([PROBED], 1, FAILING),
    ],
)
def test_a_probe_comes_sooner_where_it_could_end_a_hold(
    holds: list[Hold], failures: int, seconds: float
) -> None:
    """A few times an hour while all is well."""
    assert probe_after(holds, failures) == seconds


def test_files_that_wait_are_tried_before_a_probe() -> None:
    """What a real call finds counts for more than what a probe does."""
    assert HELD > PROBE_EVERY
    assert (by_probe(PROBED), by_probe(REAL)) == (True, False)
