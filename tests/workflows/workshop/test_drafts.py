"""Drafts: edited by owners, approved by a second person, published whole; nobody overwrites anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from engine.errors import BadDefinition, InvalidInput, NotAllowed, NotFound, WrongState
from workflows.actors.policy import Actor
from workflows.library.catalog import Catalog
from workflows.library.packages import read_files
from workflows.store.tables import draft_revisions, migrate, open_database, operations, releases
from workflows.workshop.drafts.drafts import Drafts

OWNER = Actor(id="owner", name="主人", roles=frozenset({"process_owner"}))
SECOND_OWNER = Actor(id="owner2", name="另一主人", roles=frozenset({"process_owner"}))
APPROVER = Actor(id="approver", name="批准人", roles=frozenset({"approver"}))
BOTH = Actor(id="both", name="身兼两职", roles=frozenset({"process_owner", "approver"}))
OFFICER = Actor(id="officer", name="经办人")
NOTE = "按新规定修改时限"

DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="https://tidu.dev">
  <bpmn:process id="leave" name="{name}" isExecutable="true">
    <bpmn:startEvent id="begin"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:userTask id="review" name="审核">
      <bpmn:extensionElements><zeebe:userTask/>
        <zeebe:assignmentDefinition candidateGroups="provincial_officer"/></bpmn:extensionElements>
      <bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing></bpmn:userTask>
    <bpmn:endEvent id="done"><bpmn:incoming>f2</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="review"/>
    <bpmn:sequenceFlow id="f2" sourceRef="review" targetRef="{target}"/>
  </bpmn:process>
</bpmn:definitions>
"""
FORM = b'{"type": "default", "id": "review", "schemaVersion": 18, "components": []}'


def package(name: str = "请假", *, target: str = "done") -> dict[str, bytes]:
    return {"process.bpmn": DRAWING.format(name=name, target=target).encode(), "forms/review.form": FORM}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class House:
    """A library with one process in it, and the room under test."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.database = open_database("sqlite://")
        migrate(self.database)
        self.catalog = Catalog(self.database)
        with self.database.begin() as connection:
            self.catalog.deploy(connection, read_files(package()), by="system", at=self.clock())
        self.drafts = Drafts(self.database, self.catalog, clock=self.clock)

    def actions(self) -> list[str]:
        with self.database.connect() as connection:
            return list(connection.scalars(sa.select(operations.c.action).order_by(operations.c.number)))


@pytest.fixture
def house() -> House:
    return House()


def test_a_draft_begins_with_the_files_of_its_version(house: House) -> None:
    draft = house.drafts.begin("leave", 1, actor=OWNER)

    assert (draft.revision, draft.base, draft.state, draft.authors) == (1, 1, "editing", ("owner",))
    assert house.drafts.contents(draft) == package()


def test_only_a_process_owner_begins_a_draft(house: House) -> None:
    with pytest.raises(NotAllowed):
        house.drafts.begin("leave", 1, actor=OFFICER)

    with pytest.raises(NotFound):
        house.drafts.draft("leave")


def test_a_process_has_one_draft_at_a_time(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)

    with pytest.raises(WrongState) as refused:
        house.drafts.begin("leave", 1, actor=SECOND_OWNER)
    assert refused.value.code == "DRAFT_EXISTS"


def test_saving_makes_a_revision_and_keeps_the_old_one(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)

    draft = house.drafts.save("leave", package("事假"), revision=1, actor=SECOND_OWNER)

    assert (draft.revision, draft.changed_by, draft.authors) == (2, "owner2", ("owner", "owner2"))
    with house.database.connect() as connection:
        kept = sa.select(draft_revisions.c.revision).order_by(draft_revisions.c.revision)
        assert list(connection.scalars(kept)) == [1, 2]


def test_saving_the_same_files_is_no_revision(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)

    assert house.drafts.save("leave", package(), revision=1, actor=OWNER).revision == 1


def test_nobody_saves_over_somebody_elses_work(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)
    house.drafts.save("leave", package("事假"), revision=1, actor=SECOND_OWNER)

    with pytest.raises(WrongState) as refused:
        house.drafts.save("leave", package("病假"), revision=1, actor=OWNER)

    assert refused.value.code == "DRAFT_STALE"
    assert refused.value.facts["current"]["revision"] == 2
    assert refused.value.facts["current"]["by"] == "owner2"
    assert house.drafts.contents(house.drafts.draft("leave")) == package("事假")


def test_a_draft_stays_the_process_it_is(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)
    renamed = {path: data.replace(b'id="leave"', b'id="holiday"') for path, data in package().items()}

    with pytest.raises(BadDefinition):
        house.drafts.save("leave", renamed, revision=1, actor=OWNER)


def test_a_broken_drawing_can_be_saved_but_not_submitted(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)
    house.drafts.save("leave", package(target="nowhere"), revision=1, actor=OWNER)

    with pytest.raises(BadDefinition):
        house.drafts.submit("leave", revision=2, note=NOTE, accepted={}, actor=OWNER)
    assert house.drafts.draft("leave").state == "editing"


def test_a_warning_has_to_be_accepted_in_writing(house: House) -> None:
    files = package("事假")
    files["process.bpmn"] = files["process.bpmn"].replace(b' candidateGroups="provincial_officer"', b"")
    house.drafts.begin("leave", 1, actor=OWNER)
    house.drafts.save("leave", files, revision=1, actor=OWNER)

    with pytest.raises(InvalidInput) as refused:
        house.drafts.submit("leave", revision=2, note=NOTE, accepted={}, actor=OWNER)
    assert refused.value.facts["open"] == ["task.nobody:review"]

    accepted = {"task.nobody:review": "由协调员分派"}
    draft = house.drafts.submit("leave", revision=2, note=NOTE, accepted=accepted, actor=OWNER)
    assert (draft.state, draft.accepted) == ("submitted", accepted)


def test_no_author_approves_the_own_draft(house: House) -> None:
    house.drafts.begin("leave", 1, actor=BOTH)
    house.drafts.save("leave", package("事假"), revision=1, actor=OWNER)
    submit(house, revision=2)

    with pytest.raises(NotAllowed) as refused:
        house.drafts.approve("leave", revision=2, reason="同意发布", actor=BOTH)
    assert refused.value.code == "SOD"


def test_what_was_changed_after_approval_is_not_published(house: House) -> None:
    approved(house)
    house.drafts.save("leave", package("病假"), revision=2, actor=OWNER)

    with pytest.raises(WrongState) as refused:
        house.drafts.publish("leave", revision=3, actor=OWNER)
    assert refused.value.code == "APPROVAL_VOID"


def test_an_approved_draft_becomes_the_next_version(house: House) -> None:
    approved(house)

    version = house.drafts.publish("leave", revision=2, actor=OWNER)

    assert (version.version, version.name, version.approved_by) == (2, "事假", "approver")
    overview = house.drafts.overview("leave")
    assert overview.live == version
    assert overview.draft is None
    assert house.drafts.notes("leave") == {2: NOTE}
    with house.database.connect() as connection:
        assert connection.scalar(sa.select(releases.c.changed_files)) == ["process.bpmn"]


def test_a_version_may_begin_later(house: House) -> None:
    approved(house)
    later = house.clock.now + timedelta(days=30)

    house.drafts.publish("leave", revision=2, actor=OWNER, effective_from=later)

    assert house.drafts.overview("leave").live.version == 1  # type: ignore[union-attr]
    house.clock.now = later
    assert house.drafts.overview("leave").live.version == 2  # type: ignore[union-attr]


def test_a_version_never_begins_in_the_past(house: House) -> None:
    approved(house)

    with pytest.raises(InvalidInput) as refused:
        house.drafts.publish(
            "leave", revision=2, actor=OWNER, effective_from=house.clock.now - timedelta(days=1)
        )
    assert refused.value.code == "EFFECTIVE_IN_PAST"
    assert house.drafts.draft("leave").state == "approved"


def test_a_draft_goes_back_with_a_reason(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)
    house.drafts.save("leave", package("事假"), revision=1, actor=OWNER)
    submit(house, revision=2)

    with pytest.raises(InvalidInput):
        house.drafts.send_back("leave", revision=2, reason="不行", actor=APPROVER)
    draft = house.drafts.send_back("leave", revision=2, reason="期限写错了", actor=APPROVER)

    assert (draft.state, draft.submitted_by) == ("editing", None)


def test_a_discarded_draft_leaves_its_revisions(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)

    house.drafts.discard("leave", revision=1, reason="不再需要修改", actor=OWNER)

    assert house.drafts.overview("leave").draft is None
    assert house.drafts.begin("leave", 1, actor=OWNER).revision == 1


def test_a_package_from_outside_may_be_a_new_process(house: House) -> None:
    files = {path: data.replace(b'id="leave"', b'id="holiday"') for path, data in package().items()}

    draft = house.drafts.bring_in(files, actor=OWNER)

    assert (draft.key, draft.base) == ("holiday", None)
    assert [overview.key for overview in house.drafts.overviews()] == ["holiday", "leave"]


def test_a_drawing_that_is_not_ready_is_taken_in_and_told_what_it_lacks(house: House) -> None:
    drawn = DRAWING.format(name="休假", target="done").replace('id="leave"', 'id="holiday"')
    files = {"process.bpmn": drawn.replace(' isExecutable="true"', "").encode()}

    draft = house.drafts.bring_in(files, actor=OWNER)

    assert house.drafts.contents(draft) == files
    found = {(problem.element, problem.rule) for problem in house.drafts.check("holiday", files)}
    assert ("holiday", "process.executable") in found
    with pytest.raises(BadDefinition):
        house.drafts.submit("holiday", revision=1, note=NOTE, accepted={}, actor=OWNER)


def test_a_process_can_be_named_when_a_drawing_is_taken_in(house: House) -> None:
    other = b'<bpmn:process id="beside" isExecutable="false"/></bpmn:definitions>'
    files = {"process.bpmn": package()["process.bpmn"].replace(b"</bpmn:definitions>", other)}

    assert house.drafts.bring_in(files, process="beside", actor=OWNER).key == "beside"
    with pytest.raises(BadDefinition) as refused:
        house.drafts.bring_in(files, process="elsewhere", actor=OWNER)
    assert [problem.rule for problem in refused.value.problems] == ["package.name"]


def test_a_draft_of_several_executable_processes_cannot_be_submitted(house: House) -> None:
    other = b'<bpmn:process id="beside" isExecutable="true"/></bpmn:definitions>'
    files = {"process.bpmn": package()["process.bpmn"].replace(b"</bpmn:definitions>", other)}

    house.drafts.bring_in(files, process="leave", actor=OWNER)

    found = [(problem.element, problem.rule) for problem in house.drafts.check("leave", files)]
    assert ("beside", "package.process") in found


def test_a_called_process_that_is_missing_hides_nothing_else(house: House) -> None:
    called = b'<bpmn:callActivity id="call" calledElement="nowhere"/></bpmn:process>'
    files = {"process.bpmn": package()["process.bpmn"].replace(b"</bpmn:process>", called)}

    found = {(problem.element, problem.rule) for problem in house.drafts.check("leave", files)}

    assert {("call", "call.unknown"), ("call", "flow.unreachable")} <= found


def test_every_change_writes_one_operation_record(house: House) -> None:
    approved(house)
    house.drafts.publish("leave", revision=2, actor=OWNER)

    assert house.actions() == ["draft-begin", "draft-save", "draft-submit", "draft-approve", "publish"]


def submit(house: House, *, revision: int) -> None:
    house.drafts.submit("leave", revision=revision, note=NOTE, accepted={}, actor=OWNER)


def approved(house: House) -> None:
    house.drafts.begin("leave", 1, actor=OWNER)
    house.drafts.save("leave", package("事假"), revision=1, actor=OWNER)
    submit(house, revision=2)
    house.drafts.approve("leave", revision=2, reason="同意发布", actor=APPROVER)
