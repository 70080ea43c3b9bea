"""The list of concerns that the Java engines test with two controlled threads, and where each is tested here.

The names are those of the classes in Operaton's `engine/src/test/java/…/test/concurrency`, as Camunda 7 has
them; the stories are ours. A concern without a counterpart says why.
"""

from __future__ import annotations

from tests.reliability.concurrency import test_data, test_house, test_letters, test_tokens, test_work

PAIRS = {pair.name for room in (test_data, test_letters, test_tokens, test_work) for pair in room.PAIRS}

NO_CASE_PLANS = "there are no case plans (CMMN); the nearest of ours is "
NO_CLEANING = "no history is deleted, so nothing competes to delete it; what is tidied up is "
NO_SILENCE = (
    "no conflict is ever passed over in silence: a lost race is tried again or refused with its reason"
)

CONCERNS: dict[str, tuple[str, ...] | str] = {
    "AbstractCompetingTransactionsOptimisticLockingTest": ("optimistic locking: a case ends",),
    "BuiltinExceptionCodeForeignKeyConstraintViolationTest": "codes are of refusals, not of the database: "
    "tests/web/test_problems.py",
    "CancelAcquiredJobTest": ("acquired job: a deadline takes a job away",),
    "CompetingActivityInstanceCancellationTest": ("cancellation: a message and a deadline",),
    "CompetingByteVariableAccessTest": ("draft: two tabs save",),
    "CompetingCompleteTaskSetVariableTest": (
        "test_a_text_that_is_saved_while_its_task_is_completed_stands_in_nobodys_way",
    ),
    "CompetingExternalTaskFetchingTest": ("test_what_two_workers_want_at_once_is_leased_to_one",),
    "CompetingExternalTaskLockingTest": (
        "test_a_job_whose_lease_has_ended_is_finished_once_whoever_comes_first",
    ),
    "CompetingForkTest": ("fork: two branches fork again",),
    "CompetingHistoryCleanupAcquisitionTest": NO_CLEANING
    + "test_two_workers_that_tidy_up_at_once_take_away_what_is_old_and_nothing_else",
    "CompetingJobAcquisitionTest": ("test_what_two_workers_want_at_once_is_leased_to_one",),
    "CompetingJoinTest": ("join: the last two branches end",),
    "CompetingMessageCorrelationTest": (
        "message: two of one name",
        "message: one letter is delivered twice",
        "message: two come, and each has a receiver",
        "message: two begin an event sub-process that interrupts",
        "message: two begin an event sub-process beside",
        "message: one opens a task beside another",
        "message: two open tasks beside one",
        "message: one comes while its case is ended",
        "test_messages_to_two_cases_do_not_disturb_each_other",
    ),
    "CompetingParentCompletionTest": ("parent completion: a child completes",),
    "CompetingProcessCompletionTest": ("process completion: the last two tokens end",),
    "CompetingSentrySatisfactionTest": NO_CASE_PLANS + "sentry: two fulfil the condition",
    "CompetingSignalsTest": (
        "signal: two reach",
        "signal: it takes a task away",
        "signal: one is delivered twice",
    ),
    "CompetingSubprocessCompletionTest": ("sub-process completion: its last two branches end",),
    "CompetingSuspensionTest": ("suspension: two suspend", "suspension: a case is suspended while its timer"),
    "CompetingTransactionsOptimisticLockingTest": ("optimistic locking: a case ends",),
    "CompetingTransactionsOptimisticLockingTestWithoutBatchProcessing": "one way of writing; see "
    "optimistic locking: a case ends",
    "CompetingVariableFetchingAndDeletionTest": (
        "test_who_only_looks_sees_what_is_committed_and_never_waits",
    ),
    "ConcurrentDeploymentTest": (
        "test_the_same_content_deployed_twice_at_once_is_one_version",
        "test_two_contents_deployed_at_once_are_two_versions",
        "test_two_processes_that_hold_the_same_file_are_deployed_at_once",
    ),
    "ConcurrentHistoryCleanupReconfigureTest": NO_CLEANING + "configured nowhere",
    "ConcurrentHistoryCleanupTest": NO_CLEANING
    + "test_two_workers_that_tidy_up_at_once_take_away_what_is_old_and_nothing_else",
    "ConcurrentHistoryCleanupUpdateOfFailingJobTest": NO_CLEANING + "no job that could fail",
    "ConcurrentHistoryLevelTest": ("test_two_who_bring_an_empty_database_up_to_date_take_turns",),
    "ConcurrentInstallationIdInitializationTest": (
        "test_two_who_bring_an_empty_database_up_to_date_take_turns",
        "test_two_programs_that_set_the_house_up_at_once_both_succeed",
    ),
    "ConcurrentJobExecutorTest": (
        "job execution: two finish one job",
        "job execution: two jobs of one case finish",
        "job execution: a case is ended while",
        "job execution: a case is suspended while",
        "test_work_of_a_case_that_is_suspended_while_it_is_leased_waits",
        "test_a_job_whose_lease_has_ended_is_finished_once_whoever_comes_first",
    ),
    "ConcurrentProcessEngineJobExecutorHistoryCleanupJobTest": NO_CLEANING + "configured nowhere",
    "ConcurrentVariableUpdateTest": (
        "variable: two branches create the same one",
        "variable: two branches change one that was there",
        "variable: two branches write different ones",
    ),
    "DeleteProcessDefinitionTest": (
        "test_a_version_that_is_retired_while_a_case_starts_either_carries_it_or_refuses_it",
    ),
    "ThrowOleWhenDeletingExceptionStacktraceTest": (
        "failed job: two tell",
        "failed job: one fails",
        "incident: two",
    ),
    "TransactionIsolationReadCommittedTest": ("test_who_only_looks_sees_what_is_committed_and_never_waits",),
    "UuidGeneratorTest": ("test_two_cases_that_start_at_once_have_two_numbers_without_a_gap",),
    "CompetingHistoricAttachmentPartitioningTest": NO_SILENCE,
    "CompetingHistoricByteArrayPartitioningTest": NO_SILENCE,
    "CompetingHistoricVariableInstancePartitioningTest": NO_SILENCE,
    "SkipHistoryOptimisticLockingExceptionsDisabledTest": NO_SILENCE,
}


def test_each_of_the_thirty_nine_is_tested_here_or_says_why_not():
    tests = {
        name for room in (test_data, test_house, test_letters, test_tokens, test_work) for name in vars(room)
    }
    stories = PAIRS | tests

    assert len(CONCERNS) == 39
    for concern, named in CONCERNS.items():
        for story in named if isinstance(named, tuple) else ():
            assert [one for one in stories if one.startswith(story)], f"{concern}: nothing is called {story}"
