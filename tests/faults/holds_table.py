"""The table of holds and alarms in docs/operations.md, from the causes in `core` and the tests that bring them about.

python -m tests.faults.holds_table     # rewrites the table
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from uploader.core.alarms import DISK_LOW, FILES_REJECTED, OWN
from uploader.core.hold_causes import A_DAY, AT_ONCE, CAUSES, WHEN_STALLED, Unwell
from uploader.core.model import HoldCause
from uploader.report.metrics import ALARMS, FILES, HOLDS

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- table of holds -->", "<!-- end of the table of holds -->"

SOAK = "tests/faults/test_soak.py::test_holds_come_and_go_and_all_tell_the_same"

TESTS: Mapping[HoldCause, str] = {
    HoldCause.KEY_REFUSED: SOAK,
    HoldCause.KEY_SCOPE_MISSING: SOAK,
    HoldCause.PLATFORM_UNREACHABLE: "tests/e2e/test_holds.py::test_an_outage_is_over_with_the_first_call_that_succeeds",
    HoldCause.STORE_UNREACHABLE: "tests/core/test_outages.py::test_a_store_that_takes_nothing_is_not_the_platform",
    HoldCause.QUOTA: SOAK,
    HoldCause.TARGET_REFUSED: "tests/e2e/test_holds.py::test_all_views_tell_of_one_list",
    HoldCause.SESSIONS_LOST: SOAK,
    HoldCause.LAYOUT_UNKNOWN: "tests/core/test_planner.py::test_one_item_per_session_holds_the_target",
    HoldCause.FOLDER_MISSING: SOAK,
    HoldCause.FOLDER_MUTE: "tests/e2e/test_sick_folders.py::test_a_folder_that_hangs_delays_no_other",
    HoldCause.FOLDER_TAKEN: SOAK,
    HoldCause.FOLDER_OVERLAP: SOAK,
    HoldCause.FOLDER_FOREIGN: SOAK,
    HoldCause.FOLDER_UNREADABLE: "tests/e2e/test_sick_folders.py::test_files_that_fail_together_wait_for_their_disk",
    HoldCause.FOLDER_PARTLY_MISSING: SOAK,
    HoldCause.FOLDER_UNCONFIGURED: "tests/core/test_planner.py::test_a_folder_that_left_the_configuration_is_told",
    HoldCause.STAGING_FULL: "tests/core/test_planner.py::test_a_full_staging_folder_is_told",
    HoldCause.STAGING_UNUSABLE: "tests/core/test_disk_space.py::test_a_staging_folder_in_trouble_is_told_first",
    HoldCause.JOURNAL_SLOW: "tests/e2e/test_journal_trouble.py::test_a_journal_that_is_locked_for_long_is_a_hold",
    HoldCause.MACHINE_SHORT: "tests/core/test_planner.py::test_a_daemon_without_threads_is_told",
    HoldCause.CONVERTER_BROKEN: SOAK,
    HoldCause.CLUSTER_UNAVAILABLE: "tests/e2e/test_cluster.py::test_a_cluster_that_is_not_there_is_a_hold",
    HoldCause.STALLED: "tests/core/test_stages.py::test_a_stage_without_a_sign_of_life_is_told",
    HoldCause.SCENE_ITEM_GONE: "tests/e2e/test_scenes.py::test_a_scene_whose_item_was_deleted_gets_no_second_one",
    HoldCause.SCENE_PRIMARY_REJECTED: "tests/core/test_scene_turns.py::test_what_keeps_a_scene_is_told_with_a_way_out",
    HoldCause.SCENE_PRIMARY_MISSING: "tests/core/test_scene_turns.py::test_a_primary_that_does_not_come_is_a_hold",
    HoldCause.SCENE_COLLECTION: "tests/core/test_scene_turns.py::test_what_keeps_a_scene_is_told_with_a_way_out",
    HoldCause.SESSION_UNCLEAR: "tests/core/test_outages.py::test_a_platform_that_shows_no_items_has_answered",
    HoldCause.SESSION_FAILING: "tests/core/test_outages.py::test_who_alone_fails_is_told_alone",
    HoldCause.FILE_EXCEEDS_QUOTA: SOAK,
    HoldCause.FILE_EXCEEDS_MEMORY: "tests/core/test_failure_policy.py::test_narrow_memory_holds_the_file",
    HoldCause.FILE_EXCEEDS_STAGING: "tests/effects/test_staging_refusals.py::test_a_file_too_large_for_staging_is_told",
    HoldCause.COPY_DAMAGED: "tests/effects/test_damaged_copies.py::test_a_copy_that_stays_damaged_is_told",
    HoldCause.SOURCE_STAYS: "tests/e2e/test_after_upload.py::test_an_archive_that_refuses_an_odd_name_is_told",
    HoldCause.MISTAKE: "tests/e2e/test_mistakes.py::test_a_mistake_is_told_as_a_hold",
    HoldCause.DAILY_LIMIT: "tests/e2e/test_daily_limit.py::test_the_rest_of_a_day_waits_also_after_a_restart",
    HoldCause.PAUSED: SOAK,
    HoldCause.UNKNOWN: "tests/journal/test_status.py::test_a_cause_of_another_version_is_not_known",
}
"""By cause: the test that brings it about with the real daemon or planner."""

TESTS_OF_ALARMS: Mapping[str, str] = {
    DISK_LOW: "tests/daemon/test_alarm_watch.py::test_a_disk_near_its_reserve_is_an_alarm_when_it_lasts",
    FILES_REJECTED: "tests/e2e/test_notifications.py::test_rejected_files_are_told_once_each",
}
"""The same of alarms that are no holds."""

METRICS = {
    DISK_LOW: f'{ALARMS.name}{{cause="{DISK_LOW}"}}',
    FILES_REJECTED: f'{FILES.name}{{state="rejected"}}',
}
"""The same: where they are counted. Rejected files do not last as alarms."""

WHEN = {AT_ONCE: "at once", A_DAY: "after a day", WHEN_STALLED: "after `stalled_after`"}


def table() -> str:
    """The causes as rows of Markdown."""
    heads = ("cause", "scope", "what has happened", "what to do", "alarm", "metric", "tested by")
    rows = [heads, ("---",) * len(heads)]
    for cause, facts in CAUSES.items():
        scopes = ", ".join(f"`{scope}`" for scope in facts.scopes)
        rows.append(
            (
                f"`{cause}`",
                "any" if cause is HoldCause.UNKNOWN else scopes,
                facts.happened + UNWELL[facts.unwell],
                facts.way_out,
                WHEN[facts.alarm_after],
                f'`uploader_{HOLDS.name}{{cause="{cause}"}}`',
                f"`{row_of(cause, TESTS, 'TESTS').rpartition('::')[2]}`",
            )
        )
    for own, told in OWN.items():
        scopes = ", ".join(f"`{scope}`" for scope in told.scopes)
        metric = f"`uploader_{row_of(own, METRICS, 'METRICS')}`"
        test = f"`{row_of(own, TESTS_OF_ALARMS, 'TESTS_OF_ALARMS').rpartition('::')[2]}`"
        rows.append((f"`{own}`", scopes, told.happened, told.way_out, told.when, metric, test))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def row_of(cause: str, facts: Mapping[Any, str], name: str) -> str:
    """What a table of this module says of a cause. LookupError tells which one has no row for it."""
    if cause not in facts:
        raise LookupError(f"{cause} has no row yet: add one to {name} in tests/faults/holds_table.py.")
    return facts[cause]


UNWELL = {
    Unwell.NEVER: "",
    Unwell.AT_ONCE: " `/healthz` is 503 meanwhile.",
    Unwell.WHEN_IT_LASTS: " After `[notify] stalled_after` `/healthz` is 503.",
}


def rendered(text: str) -> str:
    """The page with its table as the causes are."""
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(rendered(PAGE.read_text()))
