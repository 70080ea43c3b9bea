"""The planted faults: the twelve that every durable engine must notice, then mistakes of our own house."""

from __future__ import annotations

from tests.planted.fault import Change, Fault

COMMITS = "tests/workflows/test_commits.py::"
CRASHES = "tests/reliability/test_crash_points.py::"
LEASES = "tests/reliability/test_workers.py::"
PERSON_DIES = CRASHES + "test_dying_at_any_step_leaves_all_or_nothing"
WORKER_DIES = CRASHES + "test_a_worker_that_dies_at_any_step_has_done_a_thing_or_not"
RESTART = "tests/engine/test_execution_restart.py::"
ELSEWHERE = RESTART + "test_histories_replay_to_the_same_digests_in_other_processes"
SNAPSHOTS = "tests/engine/test_snapshots.py::"
DISTRUST = SNAPSHOTS + "test_a_snapshot_that_cannot_be_trusted_is_passed_over_and_told_of"
DURABLE = "tests/workflows/test_tables.py::test_an_acknowledged_commit_is_durable"

POWER_CUTS: tuple[str, ...] = ()
"""Tests that cut the power under SQLite."""

KILLS_OF_THE_DATABASE: tuple[str, ...] = ()
"""Tests that kill every process of PostgreSQL."""

NOBODY_ASKS = ("if found not in expected:", "if found is None:")

EVERYWHERE = (
    Fault(
        name="sqlite-does-not-sync",
        story="SQLite answers a commit before the disk has it: a power cut loses it.",
        changes=(
            Change(
                "engine/tables.py",
                'connection.execute("PRAGMA synchronous = ',
                'connection.execute("PRAGMA synchronous = NORMAL")  # ',
            ),
        ),
        noticed_by=(f"{DURABLE}[sqlite]",),
    ),
    Fault(
        name="postgresql-does-not-sync",
        story="PostgreSQL answers a commit before the disk has it.",
        changes=(Change("engine/tables.py", "-c synchronous_commit=on", "-c synchronous_commit=off"),),
        noticed_by=(f"{DURABLE}[pg]",),
    ),
    Fault(
        name="answered-before-the-commit",
        story="Those who share a commit are answered when their work is done, before it is flushed.",
        changes=(
            Change(
                "workflows/commits.py",
                """\
                    self._attempt_beside_others(asked, page)
""",
                """\
                    self._attempt_beside_others(asked, page)
                    self._settle(asked)
                    asked.turn.set()
""",
            ),
        ),
        noticed_by=(f"{COMMITS}test_nobody_is_told_of_success_if_the_common_commit_fails[sqlite]",),
    ),
    Fault(
        name="last-writer-wins",
        story="Nobody looks whether the journal still ends where the writer saw it end.",
        changes=(
            Change(
                "engine/journal.py",
                "statement = statements.inserting(journal, ",
                "statement = statements.replacing(journal, ",
            ),
        ),
        noticed_by=(
            "tests/engine/test_journal.py::test_two_writers_behind_the_same_entry_have_one_winner",
            "tests/reliability/test_orders.py::test_two_branches_that_end_at_the_same_moment_are_joined_once[pg]",
        ),
    ),
    Fault(
        name="answer-kept-in-a-second-transaction",
        story="The answer to a request is remembered once what it asked for is committed.",
        changes=(
            Change(
                "workflows/commits.py",
                "    remember_answer(change.rows, act.actor, act.request, result, change.now)\n",
                "",
            ),
            Change(
                "workflows/commits.py",
                "        asked.is_settled = True\n        change = asked.change\n",
                """\
        asked.is_settled = True
        change = asked.change
        if asked.result is not None and not asked.result.replayed:
            answer = Pending()
            remember_answer(answer, asked.act.actor, asked.act.request, asked.result, asked.now)
            with self._database.begin() as connection:
                answer.write(connection)
""",
            ),
            Change(
                "workflows/commits.py",
                "from workflows.tables import operations\n",
                "from workflows.rows import Pending\nfrom workflows.tables import operations\n",
            ),
        ),
        noticed_by=(f"{PERSON_DIES}[sqlite-complete]",),
    ),
    Fault(
        name="snapshot-without-a-version",
        story="A snapshot is used whatever format it was written in.",
        changes=(Change("engine/replay.py", "if row.format != SNAPSHOT_FORMAT:", "if row.format is None:"),),
        noticed_by=(f"{DISTRUST}[sqlite-of another format]",),
    ),
    Fault(
        name="clock-in-a-handler",
        story="The engine asks the clock since when a task waits, and not the entry that created it.",
        changes=(
            Change(
                "engine/case/case.py",
                "self.standing.note(consequence, now)",
                "self.standing.note(consequence, datetime.now(now.tzinfo))",
            ),
        ),
        noticed_by=(ELSEWHERE,),
    ),
    Fault(
        name="set-order-in-a-digest",
        story="A set goes into the digested state in the order of its hashes.",
        changes=(
            Change("engine/execution/snapshots.py", "[[fork, sorted(names)] for", "[[fork, list(names)] for"),
        ),
        noticed_by=(ELSEWHERE,),
    ),
    Fault(
        name="timers-without-a-lease",
        story="Every worker fires what is due, whether another is at it or not.",
        changes=(Change("workflows/leases.py", "running.exists(), ~taken.exists()", "running.exists()"),),
        noticed_by=(
            f"{LEASES}test_a_lease_that_holds_is_nobody_elses[sqlite]",
            "tests/workflows/test_worker.py::test_what_is_leased_is_left_alone_until_the_lease_ends[sqlite]",
        ),
    ),
    Fault(
        name="join-counted-in-memory",
        story="Who has come to a join is kept beside the stored state.",
        changes=(
            Change(
                "engine/execution/joining.py",
                """\
        here: dict[str, Token] = {}
        for other in self.tasks.values():
            if other.task_spec is join and other.flow and (other.awaits == "join" or other is token):
                here.setdefault(other.flow, other)
""",
                """\
        memory = self.__dict__.setdefault("came", {})
        here: dict[str, Token] = {
            flow: other for flow, other in memory.get(join, {}).items() if other.id in self.tasks
        }
        here.setdefault(token.flow, token)
        memory[join] = here
""",
            ),
        ),
        noticed_by=(
            f"{RESTART}test_restarting_after_every_step_changes_nothing[consult]",
            f"{RESTART}test_random_models_restarted_after_every_step_are_where_they_were",
        ),
    ),
    Fault(
        name="timer-marked-before-the-commit",
        story="The worker marks a timer as fired, and then fires it.",
        changes=(
            Change(
                "workflows/worker.py",
                "        self._commands.fire_timer(lease.case_id, lease.item, lease=lease)\n",
                """\
        mine = (timers.c.case_id == lease.case_id) & (timers.c.timer_id == lease.item)
        with self._database.begin() as connection:
            connection.execute(sa.update(timers).where(mine).values(state="fired"))
        self._commands.fire_timer(lease.case_id, lease.item, lease=lease)
""",
            ),
            Change("workflows/worker.py", "import idempotency, jobs\n", "import idempotency, jobs, timers\n"),
        ),
        noticed_by=(f"{WORKER_DIES}[sqlite-timers]",),
    ),
    Fault(
        name="read-models-in-a-second-transaction",
        story="Lists are brought behind the journal after its commit, as by a projection with a bookmark.",
        changes=(
            Change(
                "workflows/change.py",
                "self.page.take_over(self.lines, self.rows)",
                "self.page.take_over(self.lines, Pending())",
            ),
            Change(
                "workflows/commits.py",
                "        asked.is_settled = True\n        change = asked.change\n",
                """\
        asked.is_settled = True
        change = asked.change
        if change is not None and asked.error is None:
            with self._database.begin() as connection:
                change.rows.write(connection)
""",
            ),
        ),
        noticed_by=(f"{PERSON_DIES}[sqlite-complete]",),
    ),
)

OUR_OWN = (
    Fault(
        name="failed-commit-told-as-success",
        story="The work went well, so its command is answered, though its commit failed.",
        changes=(
            Change(
                "workflows/commits.py",
                "            except Exception as error:\n                asked.error = error\n",
                """\
            except Exception as error:
                asked.error = None if asked.result is not None else error
""",
            ),
        ),
        noticed_by=(f"{COMMITS}test_a_case_whose_commit_failed_is_read_anew[sqlite]",),
    ),
    Fault(
        name="uncommitted-case-kept-at-hand",
        story="A live case that moved is used again although its entries were never committed.",
        changes=(
            Change(
                "workflows/commits.py",
                " and (asked.error is None or change.is_untouched):",
                ":",
            ),
        ),
        noticed_by=(f"{COMMITS}test_a_case_whose_commit_failed_is_read_anew[sqlite]",),
    ),
    Fault(
        name="one-case-twice-in-a-commit",
        story="Two commands on one case share a commit, and neither sees what the other does.",
        changes=(Change("workflows/commits.py", "(later if taken & asked.touched else chosen)", "chosen"),),
        noticed_by=(f"{COMMITS}test_a_request_that_is_sent_twice_has_one_effect[sqlite]",),
    ),
    Fault(
        name="refused-command-leaves-something",
        story="What a command wrote at once stays, though it was refused afterwards.",
        changes=(Change("workflows/change.py", "self.savepoint.rollback()", "self.savepoint.commit()"),),
        noticed_by=(f"{COMMITS}test_what_a_refused_command_had_written_already_is_undone[sqlite]",),
    ),
    Fault(
        name="decided-by-facts-of-another-moment",
        story="What was allowed by the lists is done to a case that has moved on since they were read.",
        changes=(
            Change(
                "workflows/change.py",
                "if seen not in (None, self.case.head.seq):",
                "if seen is not None and seen > self.case.head.seq:",
            ),
        ),
        noticed_by=(f"{COMMITS}test_what_is_decided_by_facts_is_done_to_the_case_they_are_about[pg]",),
    ),
    Fault(
        name="fence-not-asked",
        story="A worker that overslept its lease still writes what it found.",
        changes=(Change("workflows/leases.py", "if fence != lease.fence:", "if fence is None:"),),
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
                "workflows/letters.py",
                'f"{self.job_id}/{receiver}" if self.kind == "signal" else self.job_id',
                'f"{self.job_id}/{receiver}"',
            ),
        ),
        noticed_by=("tests/workflows/test_deliveries.py::test_a_repeated_delivery_has_one_effect[sqlite]",),
    ),
    Fault(
        name="loser-not-told",
        story="Who comes second learns that the task is taken, but not by whom.",
        changes=(
            Change(
                "workflows/policy.py",
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
        changes=(Change("workflows/submissions.py", "if revision != current:", "if revision > current:"),),
        noticed_by=(
            "tests/workflows/test_commands_tasks.py::test_two_tabs_do_not_overwrite_each_others_draft[sqlite]",
        ),
    ),
    Fault(
        name="rebuild-throws-drafts-away",
        story="Drafts are taken for a read model; no journal can bring them back.",
        changes=(
            Change(
                "workflows/projections.py",
                "(*services.written_tables(), *READ_MODELS):",
                "(*services.written_tables(), *READ_MODELS, drafts):",
            ),
            Change("workflows/projections.py", "    definitions,\n", "    definitions,\n    drafts,\n"),
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
                "workflows/projections.py",
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
                "workflows/projections.py",
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
)

UNASKED = (
    Fault(
        name="sqlite-does-not-sync-and-nobody-asks",
        story="SQLite answers before the disk has it, and no start-up looks how it is set.",
        changes=(*EVERYWHERE[0].changes, Change("engine/tables.py", *NOBODY_ASKS)),
        noticed_by=POWER_CUTS,
    ),
    Fault(
        name="postgresql-does-not-sync-and-nobody-asks",
        story="PostgreSQL answers before the disk has it, and no start-up looks how it is set.",
        changes=(*EVERYWHERE[1].changes, Change("engine/tables.py", *NOBODY_ASKS)),
        noticed_by=KILLS_OF_THE_DATABASE,
    ),
)
"""What only a blow from outside can show."""

FAULTS = tuple(fault for fault in (*EVERYWHERE, *OUR_OWN, *UNASKED) if fault.noticed_by)
