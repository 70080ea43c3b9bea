"""Who may use which route: the one table; a route without a row answers nobody.

Rows name endpoints; `audit.*` covers a whole blueprint. The table says who may knock. Which tasks and
cases somebody then sees is decided by `workflows/actors/policy.py` for every single one.
"""

from __future__ import annotations

from workflows.actors.policy import Actor

PUBLIC = "public"
SIGNED_IN = "signed_in"
APPLICANT = "applicant"
WORKER = "worker"  # is in at least one group that tasks are given to
STAFF = "staff"  # anybody but applicants
DRAWING = "drawing"  # process owner or approver
OWNER = "process_owner"
APPROVER = "approver"
AUDITOR = "auditor"
MENDING = "mending"  # process owner or administrator
ADMINISTRATOR = "administrator"
READS_MODELS = "reads_models"

ROLES: dict[str, frozenset[str]] = {
    DRAWING: frozenset({"process_owner", "approver"}),
    OWNER: frozenset({"process_owner"}),
    APPROVER: frozenset({"approver"}),
    MENDING: frozenset({"process_owner", "administrator"}),
    AUDITOR: frozenset({"auditor"}),
    ADMINISTRATOR: frozenset({"administrator"}),
    READS_MODELS: frozenset({"process_owner", "approver", "auditor", "administrator"}),
}

PERMISSIONS: dict[str, str] = {
    "static": PUBLIC,
    "health.*": PUBLIC,
    "login.show": PUBLIC,
    "login.sign_in": PUBLIC,
    "login.sign_out": SIGNED_IN,
    "login.choose_language": PUBLIC,
    "start.show": PUBLIC,
    "api_page.show": SIGNED_IN,
    "api-docs.*": PUBLIC,
    "help.*": SIGNED_IN,
    "inbox.*": WORKER,
    "task.*": WORKER,
    "apply.*": WORKER,
    "cases.mine": APPLICANT,
    "cases.search": STAFF,
    "cases.show": SIGNED_IN,
    "cases.compose": WORKER,
    "cases.send": WORKER,
    "notices.*": PUBLIC,
    "reports.*": PUBLIC,
    "register.*": PUBLIC,
    "register_api.*": PUBLIC,
    "recommendations.*": STAFF,
    "api_recommendations.*": STAFF,
    "figures.*": PUBLIC,
    "figures.experts": STAFF,
    "tasks.*": WORKER,
    "task_commands.*": WORKER,
    "definitions.*": SIGNED_IN,
    "definitions.start": WORKER,
    "definitions.start_draft": WORKER,
    "definitions.save_start_draft": WORKER,
    "api_cases.*": SIGNED_IN,
    "editor.*": DRAWING,
    "editor.begin": OWNER,
    "editor.bring_in": OWNER,
    "editor.save_file": OWNER,
    "editor.add_file": OWNER,
    "editor.submit": OWNER,
    "editor.discard": OWNER,
    "editor.retire": OWNER,
    "editor.approve": APPROVER,
    "editor.send_back": APPROVER,
    "rules.*": READS_MODELS,
    "rules.begin": OWNER,
    "rules.save": OWNER,
    "rules.submit": OWNER,
    "rules.discard": OWNER,
    "rules.approve": APPROVER,
    "rules.send_back": APPROVER,
    "rule_documents.*": READS_MODELS,
    "rule_documents.amend": OWNER,
    "rule_documents.hold": OWNER,
    "rule_sets.*": READS_MODELS,
    "rule_sets.begin": OWNER,
    "rule_sets.save": OWNER,
    "rule_sets.submit": OWNER,
    "rule_sets.discard": OWNER,
    "rule_sets.amend": OWNER,
    "rule_sets.hold": OWNER,
    "rule_sets.approve": APPROVER,
    "rule_sets.send_back": APPROVER,
    "audit.*": AUDITOR,
    "proofs.*": AUDITOR,
    "history.*": SIGNED_IN,
    "history.verify": AUDITOR,
    "decisions.*": SIGNED_IN,
    "incidents.*": MENDING,
    "mending.*": MENDING,
    "outgoing.*": ADMINISTRATOR,
    "dispatches.*": ADMINISTRATOR,
    "evidence.*": WORKER,
    "evidence.get": SIGNED_IN,
    "evidence.content": SIGNED_IN,
    "models.*": DRAWING,
    "people.*": SIGNED_IN,
}


def permission_of(endpoint: str) -> str | None:
    """The row of this endpoint, or of its blueprint; None where the table is silent."""
    return PERMISSIONS.get(endpoint) or PERMISSIONS.get(f"{endpoint.partition('.')[0]}.*")


def may_use(permission: str, actor: Actor | None) -> bool:
    """Whether this actor (None: nobody is signed in) may knock at a route with this permission."""
    if permission == PUBLIC:
        return True
    if actor is None:
        return False
    if permission == SIGNED_IN:
        return True
    if permission == WORKER:
        return bool(actor.groups)
    if permission in (APPLICANT, STAFF):
        return (actor.level == "unit") == (permission == APPLICANT)
    return bool(ROLES[permission] & actor.roles)
