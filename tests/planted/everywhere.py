"""The twelve mistakes that every durable engine must notice, in the words of our house."""

from __future__ import annotations

from tests.planted.fault import Change, Fault

COMMITS = "tests/workflows/transaction/test_commits.py::"
CRASHES = "tests/reliability/test_crash_points.py::"
LEASES = "tests/reliability/test_workers.py::"
PERSON_DIES = CRASHES + "test_dying_at_any_step_leaves_all_or_nothing"
WORKER_DIES = CRASHES + "test_a_worker_that_dies_at_any_step_has_done_a_thing_or_not"
RESTART = "tests/engine/test_execution_restart.py::"
ELSEWHERE = RESTART + "test_histories_replay_to_the_same_digests_in_other_processes"
SNAPSHOTS = "tests/engine/test_snapshots.py::"
DISTRUST = SNAPSHOTS + "test_a_snapshot_that_cannot_be_trusted_is_passed_over_and_told_of"
DURABLE = "tests/workflows/store/test_tables.py::test_an_acknowledged_commit_is_durable"

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
                "workflows/transaction/commits.py",
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
            "tests/reliability/test_orders.py::test_branches_that_end_at_the_same_moment_are_joined_once[pg]",
        ),
    ),
    Fault(
        name="answer-kept-in-a-second-transaction",
        story="The answer to a request is remembered once what it asked for is committed.",
        changes=(
            Change(
                "workflows/transaction/commits.py",
                "    remember_answer(change.rows, act.actor, act.request, result, change.now)\n",
                "",
            ),
            Change(
                "workflows/transaction/commits.py",
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
                "workflows/transaction/commits.py",
                "from workflows.store.tables import idempotency, operations\n",
                "from workflows.store.rows import Pending\n"
                "from workflows.store.tables import idempotency, operations\n",
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
        changes=(
            Change("workflows/store/leases.py", "running.exists(), ~taken.exists()", "running.exists()"),
        ),
        noticed_by=(
            f"{LEASES}test_a_lease_that_holds_is_nobody_elses[sqlite]",
            "tests/workflows/work/test_worker.py::test_what_is_leased_is_left_alone_until_the_lease_ends[sqlite]",
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
                "workflows/work/worker.py",
                "        self._commands.fire_timer(lease.case_id, lease.item, lease=lease)\n",
                """\
        mine = (timers.c.case_id == lease.case_id) & (timers.c.timer_id == lease.item)
        with self._database.begin() as connection:
            connection.execute(sa.update(timers).where(mine).values(state="fired"))
        self._commands.fire_timer(lease.case_id, lease.item, lease=lease)
""",
            ),
            Change(
                "workflows/work/worker.py",
                "import idempotency, jobs, reading\n",
                "import idempotency, jobs, reading, timers\n",
            ),
        ),
        noticed_by=(f"{WORKER_DIES}[sqlite-timers]",),
    ),
    Fault(
        name="read-models-in-a-second-transaction",
        story="Lists are brought behind the journal after its commit, as by a projection with a bookmark.",
        changes=(
            Change(
                "workflows/transaction/change.py",
                "self.page.take_over(self.lines, self.rows)",
                "self.page.take_over(self.lines, Pending())",
            ),
            Change(
                "workflows/transaction/commits.py",
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
