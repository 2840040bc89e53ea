"""The page on reliability: the promise, each fault with the tests that show it, and what the soaks have counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.figures import Goals
from bench.soak.results import Result, read
from bench.soak.rows import ROWS, Row

_HEAD = """\
# Never lose a report

> Once the screen says SAVED, the report reaches the ERP exactly once, in order per job, through kill -9, power cuts,
> full disks, bit-rot, wrong clocks and days without a network, or a person is told which record is in doubt.

*Saved* means: the commit has returned with `synchronous=FULL`, and its line in the second copy is synced; where only
that copy can not be written, the agent says so. *At the ERP* means: a reply of the contract has named the id of the
fact. Each fault below has tests that show the promise under it. The tests can fail: the mistakes that are planted in
the product, `synchronous=OFF` among them, are found.

This page is generated. The figures come from `docs/soak.json`, which `python -m bench.soak --keep docs/soak.json`
writes; nobody types them.

"""

_COUNTED = """\
## What was counted

`make soak-quick` is part of `make test`; `make soak` does the same in its thousands. The column *run* is what the kept
figures come from: where it is smaller than *soak*, no run of that length was kept yet.

| what | each change | soak | run | of it |
|---|---|---|---|---|
"""

_FAULTS_HEAD = """
## The faults

| | fault | what holds | shown by |
|---|---|---|---|
"""


_TOLD = ("h", "s", "ms", "B")  # units that no figure says in its words


@dataclass(frozen=True)
class Fault:
    """`tests`: `file::function`, below `tests/`, at least one. `row`: the row of the soak."""

    id: str
    what: str
    holds: str
    tests: tuple[str, ...]
    row: str = ""


FAULTS = (
    Fault("F1", "kill -9 of agent, terminal or ERP", "nothing lost, nothing double, the order kept; the step stays", (
        "crash/test_kills.py::test_kills_of_all_three_lose_nothing_and_double_nothing",
        "agent/test_kill.py::test_many_kills_lose_nothing_and_double_nothing",
    ), "kills"),
    Fault("F2", "power cut at a random moment", "what was saved is there, no database is damaged", (
        "crash/test_cuts.py::test_random_cuts_lose_nothing",
    ), "cuts"),
    Fault("F3", "power cut at every disk operation, every migration too", "the next start opens, migrates, goes on", (
        "crash/test_power_cut_sweep.py::test_a_power_cut_at_every_operation_loses_nothing",
        "crash/test_cuts.py::test_an_old_upgrade_is_swept",
    ), "sweep"),
    Fault("F4", "power cut on a real ext4", "the same on the file system that PCs have", (
        "crash/test_real_disk.py::test_a_power_cut_takes_nothing_that_was_called_saved",
    ), "ext4"),
    Fault("F5", "the harness sleeps", "planted mistakes are found; `synchronous=OFF` by every method of cuts", (
        "sim/test_bugs.py::test_a_planted_bug_is_found",
        "crash/test_real_disk.py::test_a_database_that_does_not_wait_for_the_disk_is_found",
        "crash/test_cuts.py::test_a_mistake_is_seen_by_random_cuts",
        "crash/test_io_errors.py::test_a_mistake_is_seen",
    ), "bugs"),
    Fault("F6", "all of it mixed, on both sides of the wire", "every invariant, in every seed", (
        "sim/test_seeds.py::test_nothing_is_lost_doubled_or_out_of_order",
    ), "seeds"),
    Fault("F7", "the ERP books and its answer is lost, cut, or not its own", "asked by id; booked once", (
        "crash/test_wire_faults.py::test_an_answer_cut_at_any_byte_settles_nothing_and_books_once",
        "crash/test_wire_faults.py::test_the_page_of_a_hotel_is_neither_a_receipt_nor_a_plan",
        "contract/test_every_connector.py::test_a_reply_cut_at_any_byte_is_never_success",
        "agent/test_unclear_answers.py::test_a_report_whose_answer_is_lost_is_asked_for_by_id_and_booked_once",
        "agent/test_unclear_answers.py::test_while_the_erp_can_not_tell_nothing_is_sent_again_and_nothing_is_lost",
    )),
    Fault("F8", "an id that stands for something else at the ERP", "refused, not delivered; the booking stays", (
        "sync/test_books.py::test_an_id_used_for_something_else_is_refused_and_the_booking_stays",
        "sync/test_relay.py::test_a_duplicate_of_something_else_is_parked_and_not_delivered",
        "sync/test_puller.py::test_an_erp_that_has_forgotten_facts_is_offered_them_again",
    )),
    Fault("F9", "a fact that the ERP refuses", "it waits, and holds back its own job only", (
        "sync/test_relay_to_erp.py::test_a_fact_the_erp_can_not_read_is_parked_and_the_rest_flows",
        "agent/test_resend.py::test_what_was_refused_is_booked_in_order_when_the_office_lets_it",
        "agent/test_exceptions_picked.py::test_a_refused_pick_is_corrected_and_the_figures_are_right_at_once",
    )),
    Fault("F10", "the disk is full, at a start too", "NOT SAVED; what is saved is sent; room alone mends it", (
        "crash/test_full_disk.py::test_a_full_disk_refuses_sends_and_mends",
    ), "full"),
    Fault("F11", "EIO, ENOSPC, half writes, failed flushes", "nothing is called saved that no flush made safe", (
        "crash/test_io_errors.py::test_a_disk_that_fails_loses_nothing",
    ), "io"),
    Fault("F12", "files that rot", "found at the start or at work, every fact back by the second copy, the file kept", (
        "crash/test_damage.py::test_every_fact_comes_back_by_the_mirror",
        "crash/test_damage.py::test_without_the_mirror_what_is_lost_is_named",
        "store/test_cursor.py::test_one_bit_in_the_cursor_loses_no_report",
        "agent/test_rotten_queue.py::test_nothing_is_sent_from_the_first_rotten_report_on",
        "crash/test_damage_at_work.py::test_an_agent_comes_back_from_damage_with_every_report",
        "crash/test_damaged_twice.py::test_a_second_damage_at_the_same_moment_is_mended_and_both_files_are_kept",
        "crash/test_damage_while_working.py::test_it_starts_again_by_itself_and_every_report_reaches_the_erp_once",
        "store/test_rotten_texts.py::test_a_letter_that_rots_is_found_at_the_start_and_mended",
    ), "damage"),
    Fault("F13", "the wall clock jumps a year, or starts in 1970", "order and delivery as ever; marked in the fact", (
        "crash/test_clock_faults.py::test_a_clock_that_jumps_changes_neither_order_nor_delivery",
        "crash/test_clock_faults.py::test_a_clock_that_is_wrong_from_the_start_is_told_and_trusted_when_it_was_set",
        "sync/test_relay.py::test_the_wall_clock_moves_no_back_off",
        "store/test_retention.py::test_a_pc_that_was_started_in_the_wrong_year_purges_by_no_time_that_nobody_confirmed",
        "agent/test_clock.py::test_summer_time_moves_nothing",
        "agent/test_clock.py::test_a_wall_clock_that_jumps_is_not_believed",
        "agent/test_clock.py::test_a_clock_that_starts_in_the_past_is_not_believed",
        "agent/test_supervisor.py::test_a_wall_clock_that_jumps_changes_nothing",
        "agent/test_sign_on.py::test_a_lock_out_survives_restart_and_reboot_and_no_wall_clock_ends_it",
        "store/test_ledger.py::test_a_clock_that_was_set_back_does_not_turn_the_order_of_jobs",
        "telemetry/test_by_exception.py::test_a_clock_that_was_set_back_does_not_silence_an_item",
    )),
    Fault("F14", "a wire that loses, is pulled, slow, or swallows everything", "nobody waits for it; once, in order", (
        "crash/test_cable.py::test_what_is_reported_over_a_cable_that_loses_frames_arrives_once_and_in_order",
        "crash/test_cable.py::test_no_input_waits_for_a_cable_that_carries_nothing",
        "sync/test_relay_to_erp.py::test_every_fact_arrives_once_and_in_order_over_a_wire_that_breaks",
        "contract/test_every_connector.py::test_a_wire_that_swallows_everything_is_unclear_in_time",
        "agent/test_erp.py::test_without_an_erp_inputs_are_answered_as_fast_and_counted",
        "sync/test_backoff.py::test_two_pcs_do_not_come_back_together",
        "agent/test_slow_line.py::test_a_queue_goes_over_64_kbit_in_order_and_a_scan_does_not_wait",
        "sync/test_relay.py::test_a_question_whose_answer_is_more_than_the_line_carries_gets_smaller",
    )),
    Fault("F15", "72 h offline with 2,000 values a second", "samples keep below their quota; no report goes", (
        "bench/test_offline.py::test_a_while_without_an_erp_keeps_every_report_and_drops_the_oldest_samples",
        "telemetry/test_store.py::test_the_file_keeps_below_its_size_and_the_oldest_goes_first",
        "telemetry/test_store.py::test_what_is_too_old_is_dropped_and_told",
    ), "offline"),
    Fault("F16", "100,000 facts to send at once", "15 s, in order; scans are answered meanwhile", (
        "bench/test_queues.py::test_a_queue_is_booked_once_and_in_order_while_somebody_scans",
        "sync/test_no_delay.py::test_what_is_accepted_does_not_wait_for_the_other_side",
        "sync/test_pace.py::test_requests_wait_for_their_turn_on_the_monotonic_clock",
    ), "drain"),
    Fault("F17", "a cold start with 1,000,000 facts", "a first screen within 2 s, every row seen within 5 s", (
        "bench/test_queues.py::test_a_start_with_a_queue_shows_a_screen_and_then_has_seen_every_row",
        "store/test_looking_over.py::test_nobody_says_that_all_is_well_before_every_row_was_seen",
    ), "cold"),
    Fault("F18", "a scanner is unplugged, in mid-scan too", "no wrong code, no two in one, back by itself", (
        "bench/test_scanner_unplugs.py::test_forty_unplugs_give_no_wrong_and_no_merged_code",
        "agent/test_signals.py::test_a_scanner_that_was_unplugged_says_it_again",
    )),
    Fault("F19", "a controller that is gone, slow, or lies", "a status that says so; no invented value", (
        "contract/test_every_driver.py::test_a_fault_makes_nothing_good_and_wrong_harms_nobody_and_ends_by_itself",
    )),
    Fault("F20", "text that wants to be more than text", "shown, never done", (
        "terminal_ui/test_display_safe.py::test_every_code_point_comes_out_showable",
        "security/test_hostile_text.py::test_a_hundred_strings_are_text_in_every_widget",
        "security/test_hostile_text.py::test_the_real_screen_obeys_nothing",
        "security/test_hostile_text.py::test_keys_and_scans_that_would_end_a_program_do_nothing",
        "security/test_hostile_text.py::test_no_scan_and_no_entry_does_more_than_be_refused",
    ), "strings"),
    Fault("F21", "an agent or a device that hangs", "serving again within 30 s at the same step, nothing lost", (
        "agent/test_hang.py::test_an_agent_that_hangs_is_back_at_the_same_step_with_every_report",
        "packaging/test_units.py::test_an_agent_that_hangs_serves_again_within_30_seconds",
        "agent/test_service.py::test_a_database_that_hangs_is_not_alive",
        "agent/test_watchdog.py::test_a_device_that_stops_silently_is_lost_and_tried_anew",
        "bench/test_memory.py::test_minutes_of_a_plant_are_worked_and_their_memory_is_watched",
    ), "memory"),
    Fault("F22", "an older program, or another site file, while facts wait", "refused or told; what waits is sent", (
        "store/test_schema.py::test_a_database_of_a_newer_program_is_refused",
        "store/test_upgrade.py::test_what_was_not_delivered_is_sent_and_work_goes_on",
        "store/test_former.py::test_it_is_told_with_what_waits_for_it_and_stops_nothing",
        "store/test_former.py::test_one_that_comes_back_is_offered_all_that_is_there",
        "store/test_former.py::test_whoever_says_what_becomes_of_it_has_settled_it",
        "store/test_former.py::test_what_waits_for_it_outlives_a_damage",
        "store/test_outbox.py::test_everything_survives_a_restart",
    )),
    Fault("F23", "two PCs with the same identity", "the second is refused", (
        "agent/test_restore.py::test_a_second_pc_with_the_same_id_is_refused_in_words",
        "agent/test_copied_pc.py::test_the_copy_of_a_pc_does_not_lose_its_report",
    )),
)  # fmt: skip


def reliability_page(results: dict[str, Result] | None = None) -> str:
    """docs/reliability.md."""
    known = read() if results is None else results
    counted = "\n".join(_counted(row, known.get(row.name)) for row in ROWS)
    faults = "\n".join(_fault(fault) for fault in FAULTS)
    return _HEAD + _COUNTED + counted + "\n" + _machines(known) + _FAULTS_HEAD + faults + "\n"


def _counted(row: Row, result: Result | None) -> str:
    run, of_it = ("not yet", "") if result is None else (_number(_count(row, result)), "; ".join(_figures(row, result)))
    return f"| {row.what} | {_number(row.quick) if row.quick else ''} | {_number(row.long)} | {run} | {of_it} |"


def _count(row: Row, result: Result) -> int:
    return min(result.count, row.long) if row.closed else result.count


def _figures(row: Row, result: Result) -> Iterator[str]:
    goals = Goals()
    for name, count in row.figures.items():
        value = result.counts.get(count, 0) / row.scale(count)
        goal = goals.by_name[name]
        bound = f" ({goal.text})" if goal.at_most is not None else ""
        shown = _number(round(value)) if value >= 100 or value == round(value) else f"{value:.1f}"
        missed = " **MISSED**" if goal.met(value) is False and goal.at_most is not None else ""
        yield f"{goal.what}: {shown}{f' {goal.unit}' if goal.unit in _TOLD else ''}{bound}{missed}"


def _machines(known: dict[str, Result]) -> str:
    told = sorted({f"{each.day}: {each.machine}" for each in known.values()})
    return "".join(f"\n{line}.\n" for line in told)


def _fault(fault: Fault) -> str:
    tests = [f"`{each.partition('::')[2]}` in [{each.partition('::')[0]}](../tests/{each.partition('::')[0]})"
             for each in fault.tests]  # fmt: skip
    shown = "<br>".join(tests)
    row = next((each.what for each in ROWS if each.name == fault.row), "")
    return f"| {fault.id} | {fault.what} | {fault.holds} | {shown}{f'<br>soak: {row}' if row else ''} |"


def _number(value: int) -> str:
    return f"{value:,}"
