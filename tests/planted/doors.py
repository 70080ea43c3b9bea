"""Mistakes at the doors: a reporter known, a report taken twice, a lot known before, a stale reason."""

from __future__ import annotations

from tests.planted.fault import Change, Fault

REPORTS = "tests/web/test_reports.py::"
LOTS = "tests/workflows/services/test_lots.py::"
REFUSALS = "tests/workflows/reading/test_refusals.py::"

DOORS = (
    Fault(
        name="an-auditor-reads-who-reports",
        story="The auditor's pages look a case up and do not ask who looks.",
        changes=(
            Change("web/audit.py", "        seen_case(case_id)\n", "        request.args.get(case_id)\n"),
        ),
        noticed_by=(f"{REPORTS}test_nobody_but_the_reports_office_learns_of_it",),
    ),
    Fault(
        name="a-report-sent-again-is-another",
        story="A reporter whose connection broke sends the form again, and two cases begin.",
        changes=(
            Change("web/pages/reports.py", 'Idempotency(key=f"{LASTING}report")', "Idempotency(key=None)"),
            Change("web/pages/reports.py", "LASTING, Idempotency", "Idempotency"),
        ),
        noticed_by=(f"{REPORTS}test_sent_twice_it_is_one_report_with_one_receipt",),
    ),
    Fault(
        name="a-lot-that-could-be-known",
        story="The seed of a draw is the number of the case, which everybody knows before.",
        changes=(
            Change(
                "workflows/services/lots.py",
                "                return line.head\n",
                "                return Head(seq=line.seq, digest=read.case_id)\n",
            ),
        ),
        noticed_by=(
            f"{LOTS}test_an_auditor_draws_the_same_from_the_journal_alone[sqlite]",
            f"{LOTS}test_the_page_sees_whether_a_draw_holds[sqlite]",
        ),
    ),
    Fault(
        name="a-mended-ground-still-refuses",
        story="The page tells a reason that a later decision took back.",
        changes=(
            Change(
                "workflows/reading/refusals.py",
                "    last = {made.element: made for made in standing.decisions}\n",
                "    last = {made.seq: made for made in standing.decisions}\n",
            ),
        ),
        noticed_by=(f"{REFUSALS}test_what_was_mended_before_the_end_refuses_nothing",),
    ),
)
