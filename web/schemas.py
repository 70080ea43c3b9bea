"""The shapes of the REST API, said once: they check what comes in and describe what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate

ID = {"description": "An opaque id."}


class Strict(Schema):
    """A body: what nobody asked for is refused, so that nobody can slip a field in."""

    class Meta:
        unknown = RAISE


class Query(Schema):
    """A query string."""

    class Meta:
        unknown = EXCLUDE


class Whole(fields.Integer):
    """A whole number in plain ASCII digits; neither `１２` nor `1.0` is one."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str) and not (value.isascii() and value.lstrip("-").isdigit()):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Paged(Query):
    firstResult = Whole(load_default=0, validate=validate.Range(0, 100_000), attribute="first")
    maxResults = Whole(load_default=50, validate=validate.Range(1, 200), attribute="size")
    cursor = fields.String(validate=validate.Length(max=400))
    sortBy = fields.String(validate=validate.Length(max=40), attribute="sort_by")
    sortOrder = fields.String(validate=validate.OneOf(["asc", "desc"]), attribute="sort_order")


class Problem(Schema):
    """RFC 9457, `application/problem+json`."""

    type = fields.String(metadata={"description": "`/problems/<code>`"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    instance = fields.String()
    code = fields.String(metadata={"description": "Stable; see the registry of codes."})
    traceId = fields.String()
    errors = fields.List(fields.Dict(keys=fields.String()))


def page_of(items: type[Schema], *, name: str) -> Schema:
    """The list envelope `{items, next, asOf}`."""
    made: dict[str, Any] = {
        "items": fields.List(fields.Nested(items), required=True),
        "next": fields.String(required=True, allow_none=True),
        "asOf": fields.String(required=True),
    }
    return Schema.from_dict(made, name=name)()


class NextTask(Schema):
    id = fields.String()
    taskDefinitionKey = fields.String()
    name = fields.String()
    nameEn = fields.String()
    assignee = fields.String(allow_none=True)
    candidateGroups = fields.List(fields.String())
    candidateUsers = fields.List(fields.String())
    due = fields.String(allow_none=True)


class CompletedTask(Schema):
    state = fields.String()
    taskId = fields.String()
    processInstanceId = fields.String()
    caseStatus = fields.String()
    outcome = fields.String(allow_none=True)
    seq = fields.Integer()
    nextTasks = fields.List(fields.Nested(NextTask))


class Named(Schema):
    id = fields.String()
    name = fields.String()


class Task(Schema):
    """A task; the names Camunda has are Camunda's."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    nameEn = fields.String()
    taskDefinitionKey = fields.String(required=True)
    processInstanceId = fields.String(required=True)
    processDefinitionId = fields.String()
    processDefinitionKey = fields.String()
    assignee = fields.String(allow_none=True)
    assigneeName = fields.String(allow_none=True)
    owner = fields.String(allow_none=True)
    candidateGroups = fields.List(fields.String())
    candidateUsers = fields.List(fields.String())
    state = fields.String(validate=validate.OneOf(["READY", "CLAIMED", "COMPLETED", "CANCELLED"]))
    suspended = fields.Boolean()
    created = fields.String()
    claimed = fields.String(allow_none=True)
    due = fields.String(allow_none=True)
    provisional = fields.Boolean()
    escalated = fields.String(allow_none=True)
    ended = fields.String(allow_none=True)
    priority = fields.Integer()
    round = fields.Integer()
    step = fields.String(allow_none=True)
    clause = fields.String(allow_none=True)
    bulkable = fields.Boolean()
    outcome = fields.String(allow_none=True)
    hasDraft = fields.Boolean()
    unit = fields.Nested(Named, allow_none=True)
    region = fields.Nested(Named, allow_none=True)
    batch = fields.Nested(Named, allow_none=True)


TaskPage = page_of(Task, name="TaskPage")


class Definition(Schema):
    id = fields.String(required=True)
    key = fields.String(required=True)
    name = fields.String()
    nameEn = fields.String()
    version = fields.Integer()
    state = fields.String()
    digest = fields.String()
    author = fields.String()
    approvedBy = fields.String(allow_none=True)
    publishedBy = fields.String()
    publishedAt = fields.String()
    effectiveFrom = fields.String()


DefinitionPage = page_of(Definition, name="DefinitionPage")


class StartedCase(Schema):
    id = fields.String(required=True)
    definitionKey = fields.String()
    status = fields.String()
    seq = fields.Integer()
    tasks = fields.List(fields.Nested(NextTask))


class RefusedBy(Schema):
    """A rule that refused a case: its table and row, what it rests on, and the reason with its facts."""

    decision = fields.String(required=True)
    rule = fields.String(required=True)
    row = fields.Integer()
    clause = fields.String()
    inferred = fields.Boolean()
    reason = fields.String()
    reasonEn = fields.String()
    seq = fields.Integer()


class Case(Schema):
    """A case (Camunda: a process instance)."""

    id = fields.String(required=True)
    definitionId = fields.String()
    definitionKey = fields.String()
    name = fields.String()
    nameEn = fields.String()
    status = fields.String(validate=validate.OneOf(["active", "suspended", "completed", "terminated"]))
    outcome = fields.String(allow_none=True)
    level = fields.String(allow_none=True)
    unit = fields.Nested(Named, allow_none=True)
    region = fields.Nested(Named, allow_none=True)
    batch = fields.Nested(Named, allow_none=True)
    started = fields.String()
    startedBy = fields.String()
    updated = fields.String()
    ended = fields.String(allow_none=True)
    seq = fields.Integer()
    incidents = fields.Integer()
    steps = fields.List(fields.Nested(Named))
    refusals = fields.List(fields.Nested(RefusedBy))


CasePage = page_of(Case, name="CasePage")


class ChangedCase(Schema):
    id = fields.String()
    status = fields.String()
    seq = fields.Integer()
    nextTasks = fields.List(fields.Nested(NextTask))


class EvidenceFile(Schema):
    id = fields.String(required=True)
    name = fields.String()
    sha256 = fields.String()
    size = fields.Integer()
    type = fields.String()
    processInstanceId = fields.String(allow_none=True)
    uploadedBy = fields.String()
    uploadedAt = fields.String()
    status = fields.String()


class JournalEvent(Schema):
    seq = fields.Integer(required=True)
    at = fields.String(required=True)
    actor = fields.String()
    actorName = fields.String()
    onBehalfOf = fields.String(allow_none=True)
    type = fields.String(required=True)
    lane = fields.String()
    activityId = fields.String(allow_none=True)
    sentence = fields.String()
    data = fields.Dict(keys=fields.String())
    digest = fields.String()


EventPage = page_of(JournalEvent, name="EventPage")


class Finding(Schema):
    code = fields.String()
    seq = fields.Integer()
    detail = fields.String()


class Verification(Schema):
    id = fields.String()
    ok = fields.Boolean()
    code = fields.String()
    entries = fields.Integer()
    findings = fields.List(fields.Nested(Finding))


class DecisionFile(Schema):
    key = fields.String()
    definitionId = fields.String()
    definitionKey = fields.String()


DecisionPage = page_of(DecisionFile, name="DecisionPage")


class OpenIncident(Schema):
    id = fields.String()
    processInstanceId = fields.String()
    activityId = fields.String()
    code = fields.String()
    message = fields.String()
    jobId = fields.String(allow_none=True)
    raised = fields.String()


class AsideItem(Schema):
    """A timer or a job that failed so often that the worker tries it no more."""

    case_id = fields.String()
    item = fields.String()
    failures = fields.Integer()
    trouble = fields.String()
    since = fields.String()


AsidePage = page_of(AsideItem, name="AsidePage")
IncidentPage = page_of(OpenIncident, name="IncidentPage")


class TokenShape(Schema):
    id = fields.String()
    name = fields.String()
    scopes = fields.List(fields.String())
    created = fields.String()
    expires = fields.String()
    revoked = fields.String(allow_none=True)


TokenPage = page_of(TokenShape, name="TokenPage")


class NewToken(Schema):
    token = fields.String(metadata={"description": "Shown this once."})
    name = fields.String()
    scopes = fields.List(fields.String())
    expires = fields.String()


class DraftShape(Schema):
    key = fields.String()
    revision = fields.Integer()
    base = fields.Integer(allow_none=True)
    state = fields.String()
    author = fields.String()
    authors = fields.List(fields.String())
    changedBy = fields.String()
    changedAt = fields.String()
    submittedBy = fields.String(allow_none=True)
    approvedBy = fields.String(allow_none=True)
    approvedRevision = fields.Integer(allow_none=True)
    note = fields.String(allow_none=True)
