"""Mistakes that our own house could make: shared commits, leases, letters, drafts, rebuilding, the chain."""

from __future__ import annotations

from tests.planted.fault import Change, Fault

COMMITS = "tests/workflows/transaction/test_commits.py::"
LEASES = "tests/reliability/test_workers.py::"
PLACES = "tests/workflows/acts/test_places.py::"
SNAPSHOTS = "tests/engine/test_snapshots.py::"
SCHEMA = "tests/workflows/store/test_schema.py::"
DISTRUST = SNAPSHOTS + "test_a_snapshot_that_cannot_be_trusted_is_passed_over_and_told_of"

OUR_OWN = (
    Fault(
        name="failed-commit-told-as-success",
        story="The work went well, so its command is answered, though its commit failed.",
        changes=(
            Change(
                "workflows/transaction/commits.py",
                "asked.error = busy(asked.act, error) if is_held_up(error) else error",
                "asked.error = None if asked.result is not None else error",
            ),
        ),
        noticed_by=(f"{COMMITS}test_a_case_whose_commit_failed_is_read_anew[sqlite]",),
    ),
    Fault(
        name="uncommitted-case-kept-at-hand",
        story="A live case that moved is used again although its entries were never committed.",
        changes=(
            Change(
                "workflows/transaction/commits.py",
                " and (asked.error is None or change.is_untouched):",
                ":",
            ),
        ),
        noticed_by=(f"{COMMITS}test_a_case_whose_commit_failed_is_read_anew[sqlite]",),
    ),
    Fault(
        name="one-case-twice-in-a-commit",
        story="Two commands on one case share a commit, and neither sees what the other does.",
        changes=(
            Change(
                "workflows/transaction/commits.py", "(later if taken & asked.touched else chosen)", "chosen"
            ),
        ),
        noticed_by=(f"{COMMITS}test_a_request_that_is_sent_twice_has_one_effect[sqlite]",),
    ),
    Fault(
        name="refused-command-leaves-something",
        story="What a command wrote at once stays, though it was refused afterwards.",
        changes=(
            Change("workflows/transaction/change.py", "self.savepoint.rollback()", "self.savepoint.commit()"),
        ),
        noticed_by=(f"{COMMITS}test_what_a_refused_command_had_written_already_is_undone[sqlite]",),
    ),
    Fault(
        name="decided-by-facts-of-another-moment",
        story="What was allowed by the lists is done to a case that has moved on since they were read.",
        changes=(
            Change(
                "workflows/transaction/change.py",
                "if seen not in (None, self.case.head.seq):",
                "if seen is not None and seen > self.case.head.seq:",
            ),
        ),
        noticed_by=(f"{COMMITS}test_what_is_decided_by_facts_is_done_to_the_case_they_are_about[pg]",),
    ),
    Fault(
        name="fence-not-asked",
        story="A worker that overslept its lease still writes what it found.",
        changes=(Change("workflows/store/leases.py", "(mine)) == lease.fence", "(mine)) is not None"),),
        noticed_by=(
            f"{LEASES}test_who_slept_through_a_lease_on_a_timer_is_refused[sqlite]",
            f"{LEASES}test_who_slept_through_a_lease_on_a_job_is_refused_and_its_result_is_not_taken[sqlite]",
        ),
    ),
    Fault(
        name="letter-delivered-again",
        story="A message is remembered for each receiver, so that a second try reaches a second one.",
        changes=(
            Change(
                "workflows/acts/letters.py",
                'f"{self.job_id}/{receiver}" if self.kind == "signal" else self.job_id',
                'f"{self.job_id}/{receiver}"',
            ),
        ),
        noticed_by=(
            "tests/workflows/work/test_deliveries.py::test_a_repeated_delivery_has_one_effect[sqlite]",
        ),
    ),
    Fault(
        name="loser-not-told",
        story="Who comes second learns that the task is taken, but not by whom.",
        changes=(
            Change(
                "workflows/actors/policy.py",
                """\
 已认领该任务",
        **holder_facts(task),
""",
                """\
 已认领该任务",
""",
            ),
        ),
        noticed_by=(
            "tests/workflows/test_commands_tasks.py"
            "::test_who_comes_second_is_told_who_holds_the_task_and_since_when[sqlite]",
        ),
    ),
    Fault(
        name="draft-of-another-tab-lost",
        story="The second tab saves its draft over that of the first.",
        changes=(
            Change("workflows/acts/submissions.py", "if revision != current:", "if revision > current:"),
        ),
        noticed_by=(
            "tests/workflows/test_commands_tasks.py::test_two_tabs_do_not_overwrite_each_others_draft[sqlite]",
        ),
    ),
    Fault(
        name="rebuild-throws-drafts-away",
        story="Drafts are taken for a read model; no journal can bring them back.",
        changes=(
            Change(
                "workflows/transaction/projections.py",
                "for table in READ_MODELS:",
                "for table in (*READ_MODELS, drafts):",
            ),
            Change("workflows/transaction/projections.py", "    NEVER,\n", "    NEVER,\n    drafts,\n"),
        ),
        noticed_by=(
            "tests/reliability/test_rebuild.py::test_a_rebuild_leaves_alone_what_no_journal_tells[sqlite]",
        ),
    ),
    Fault(
        name="rebuild-forgets-the-last",
        story="Whole hundreds of cases are written again, and the rest is not.",
        changes=(
            Change(
                "workflows/transaction/projections.py",
                "            rows.write(connection)\n    rows.write(connection)\n",
                "            rows.write(connection)\n",
            ),
        ),
        noticed_by=(
            "tests/reliability/test_rebuild.py::test_a_rebuild_changes_nothing_that_a_query_can_see[sqlite]",
        ),
    ),
    Fault(
        name="rebuild-beside-writers",
        story="Commands go on while the lists are dropped, and what they write there is lost.",
        changes=(
            Change(
                "workflows/transaction/projections.py",
                '        connection.execute(sa.text("LOCK TABLE journal IN SHARE MODE"))\n',
                "        pass\n",
            ),
        ),
        noticed_by=(
            "tests/reliability/test_rebuild.py"
            "::test_what_happens_during_a_rebuild_is_in_the_read_models_behind_it[pg]",
        ),
    ),
    Fault(
        name="older-release-works-on",
        story="A program goes on with the database that a newer release has taken over.",
        changes=(
            Change("workflows/transaction/commits.py", "        require_ours(known.schema)\n", ""),
            Change("workflows/work/worker.py", "            require_current(connection)\n", ""),
        ),
        noticed_by=(
            f"{SCHEMA}test_in_the_database_of_another_release_no_case_changes[sqlite-9999]",
            f"{SCHEMA}test_a_worker_takes_no_work_there_and_nothing_is_set_aside[sqlite]",
        ),
    ),
    Fault(
        name="migration-beside-commands",
        story="A migration begins while commands of the older release are under way.",
        changes=(Change("workflows/store/schema.py", "connection.execute(sa.text(ALONE))", "pass"),),
        noticed_by=(f"{SCHEMA}test_a_migration_waits_for_the_commands_under_way[pg]",),
    ),
    Fault(
        name="damaged-snapshot-believed",
        story="Nobody looks whether a snapshot is what was written.",
        changes=(
            Change("engine/replay.py", "if row.state == _sealed(row.state[SEAL:]) else", "if row.state else"),
        ),
        noticed_by=(f"{DISTRUST}[sqlite-damaged]",),
    ),
    Fault(
        name="chain-that-does-not-chain",
        story="The digest of an entry covers that entry alone.",
        changes=(Change("engine/journal.py", "(previous + body).encode()", "body.encode()"),),
        noticed_by=(
            "tests/engine/test_journal.py::test_the_digest_of_an_entry_covers_everything_before_it",
            "tests/golden/test_golden.py"
            "::test_every_history_of_a_release_replays_to_what_was_seen_at_every_cause[0.1.0]",
        ),
    ),
    Fault(
        name="last-place-given-twice",
        story="Two officers recommend at the same moment with one place left, and both get it.",
        changes=(Change("workflows/store/tables.py", '"number", unique=True)', '"number")'),),
        noticed_by=(f"{COMMITS}test_of_two_who_want_the_last_place_in_one_commit_one_gets_it[sqlite]",),
    ),
    Fault(
        name="one-more-than-the-quota",
        story="The recommendation after the last place is let through.",
        changes=(Change("workflows/register/quotas.py", "if len(taken) >= of:", "if len(taken) > of:"),),
        noticed_by=(
            f"{PLACES}test_who_comes_when_every_place_is_taken_is_told_by_whom_and_nothing_changes[sqlite]",
        ),
    ),
    Fault(
        name="place-never-given-back",
        story="A unit that was refused goes on holding its place.",
        changes=(Change("workflows/transaction/projections.py", "& ~places.c.kept", "& places.c.kept"),),
        noticed_by=(
            f"{PLACES}test_who_is_returned_deferred_or_refused_gives_the_place_to_another[sqlite-refused]",
        ),
    ),
)
