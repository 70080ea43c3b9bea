"""Every command with its flags: names and flags are a contract and stay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Option:
    """One argument, as argparse wants to hear it."""

    names: tuple[str, ...]
    settings: dict[str, Any]

    @classmethod
    def named(cls, *names: str, **settings: Any) -> Option:
        return cls(names=names, settings=settings)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command: `run` is "module:function", called with the arguments and the voice."""

    name: str
    says: str
    run: str = ""
    options: tuple[Option, ...] = ()
    parts: tuple[Command, ...] = ()


_o = Option.named
_ROOM = "web.cli."
_PERSON = _o("person", metavar="PERSON")
_GRANTS = (
    _o("--group", action="append", default=[], metavar="GROUP"),
    _o("--role", action="append", default=[], metavar="ROLE"),
)

COMMANDS = (
    Command(
        name="init",
        says="create or upgrade the database, load the process library; safe to repeat",
        run=_ROOM + "library:init",
    ),
    Command(
        name="serve",
        says="serve the pages and the API",
        run=_ROOM + "serving:serve",
        options=(
            _o("--host", help="address to listen on (TIDU_HOST)"),
            _o("--port", type=int, help="port to listen on (TIDU_PORT)"),
            _o("--workers", type=int, default=2, help="processes that answer (default 2)"),
        ),
    ),
    Command(
        name="worker",
        says="do what happens without a person: timers, jobs, notifications",
        run=_ROOM + "serving:worker",
    ),
    Command(
        name="demo",
        says="play cases through three years on a hand-driven clock",
        run=_ROOM + "season:demo",
        options=(
            _o("--cases", type=int, default=300, metavar="N", help="how many (default 300)"),
            _o("--seed", type=int, default=7, metavar="S", help="same seed, same cases (default 7)"),
            _o("--if-empty", action="store_true", help="do nothing when there are cases already"),
        ),
    ),
    Command(
        name="check",
        says="say whether a package or a single .bpmn or .dmn file could be deployed",
        run=_ROOM + "library:check",
        options=(_o("path", nargs="+", type=Path, metavar="PATH"),),
    ),
    Command(
        name="play",
        says="play one example in memory",
        run=_ROOM + "library:play",
        options=(
            _o("path", type=Path, metavar="PATH"),
            _o("--example", type=Path, required=True, metavar="FILE"),
        ),
    ),
    Command(
        name="decide",
        says="evaluate one decision",
        run=_ROOM + "library:decide",
        options=(
            _o("file", type=Path, metavar="FILE"),
            _o("--decision", default="", metavar="NAME"),
            _o("--inputs", required=True, metavar="JSON"),
            _o("--service", default="", metavar="NAME"),
        ),
    ),
    Command(
        name="conformance",
        says="answer every case of an independent test suite, a line each",
        run=_ROOM + "conformance:conformance",
        options=(_o("directory", type=Path, metavar="DIR"),),
    ),
    Command(
        name="rules",
        says="rule documents and rule sets",
        parts=(
            Command(
                name="coverage",
                says="which clause is carried out where, and which element names none",
                run=_ROOM + "rules:coverage",
                options=(
                    _o("path", nargs="?", type=Path, metavar="PATH", help="a folder; else what is deployed"),
                ),
            ),
            Command(
                name="list",
                says="the rule sets, and which is in force today",
                run=_ROOM + "rules:list_rules",
            ),
        ),
    ),
    Command(
        name="deploy",
        says="make a folder the new version of its process",
        run=_ROOM + "library:deploy",
        options=(_o("path", type=Path, metavar="PATH"),),
    ),
    Command(
        name="export",
        says="write a version of a process into a folder",
        run=_ROOM + "library:export",
        options=(
            _o("process", metavar="PROCESS", help="green_factory (in force) or green_factory:3"),
            _o("-o", "--output", type=Path, required=True, metavar="DIR"),
        ),
    ),
    Command(
        name="verify",
        says="check the chain of digests, run every cause again, compare every consequence",
        run=_ROOM + "keeping:verify",
        options=(
            _o("case", nargs="*", metavar="CASE"),
            _o("--all", action="store_true", help="every case, and every checkpoint that is known"),
            _o("--against", action="append", default=[], type=Path, metavar="CHECKPOINT_FILE"),
            _o("--key", action="append", default=[], type=Path, metavar="FILE", help="more keys to trust"),
        ),
    ),
    Command(
        name="checkpoint",
        says="sign what the journal is now, to be kept outside",
        run=_ROOM + "proving:checkpoint",
        options=(
            _o("-o", "--output", type=Path, metavar="FILE", help="write it there too"),
            _o("--new-key", metavar="REASON", help="begin with a new key: the old one signs no more"),
        ),
    ),
    Command(
        name="bundle",
        says="write evidence about cases that verifies without this system",
        run=_ROOM + "proving:bundle",
        options=(
            _o("case", nargs="+", metavar="CASE"),
            _o("-o", "--output", type=Path, required=True, metavar="FILE.zip"),
            _o("--since", action="append", default=[], type=Path, metavar="CHECKPOINT_FILE"),
            _o("--files", action="store_true", help="with the evidence files themselves"),
        ),
    ),
    Command(
        name="rebuild",
        says="drop and rebuild read models and snapshots from the journal",
        run=_ROOM + "keeping:rebuild",
    ),
    Command(
        name="backup",
        says="write a consistent copy of the database and the evidence files",
        run=_ROOM + "keeping:backup",
        options=(_o("-o", "--output", type=Path, required=True, metavar="FILE"),),
    ),
    Command(
        name="restore",
        says="put a backup into an empty database and verify it",
        run=_ROOM + "keeping:restore",
        options=(_o("file", type=Path, metavar="FILE"),),
    ),
    Command(
        name="gap",
        says="what was acknowledged and the database no longer has",
        parts=(
            Command(name="show", says="say what is missing, case by case", run=_ROOM + "gap:show"),
            Command(
                name="accept",
                says="go on without it: it is recorded, and no number is given twice",
                run=_ROOM + "gap:accept",
                options=(_o("--reason", required=True, metavar="TEXT"),),
            ),
        ),
    ),
    Command(
        name="user",
        says="people: who may sign in and what they may do",
        parts=(
            Command(name="list", says="everybody", run=_ROOM + "people:list_people"),
            Command(
                name="add",
                says="a new person",
                run=_ROOM + "people:add",
                options=(
                    _PERSON,
                    _o("--name", required=True, metavar="TEXT"),
                    _o("--level", required=True, metavar="LEVEL", help="unit, county, municipal …"),
                    _o("--authority", metavar="CODE"),
                    _o("--unit", metavar="ID"),
                    *_GRANTS,
                ),
            ),
            Command(
                name="grant",
                says="give or take groups and roles",
                run=_ROOM + "people:change",
                options=(_PERSON, *_GRANTS, _o("--take", action="append", default=[], metavar="NAME")),
            ),
            Command(
                name="password",
                says="a new password, asked for or read from standard input",
                run=_ROOM + "people:password",
                options=(_PERSON,),
            ),
            Command(
                name="disable",
                says="close an account, or open it again",
                run=_ROOM + "people:disable",
                options=(_PERSON, _o("--undo", action="store_true")),
            ),
        ),
    ),
    Command(
        name="token",
        says="tokens with which programs act for a person",
        parts=(
            Command(
                name="list", says="a person's tokens", run=_ROOM + "people:list_tokens", options=(_PERSON,)
            ),
            Command(
                name="add",
                says="a new token; it is shown once",
                run=_ROOM + "people:add_token",
                options=(
                    _PERSON,
                    _o("--name", required=True, metavar="TEXT"),
                    _o("--scope", action="append", default=[], metavar="SCOPE"),
                    _o("--days", type=int, default=90, metavar="N", help="valid for so long (default 90)"),
                ),
            ),
            Command(
                name="revoke",
                says="end a token at once",
                run=_ROOM + "people:end_token",
                options=(_o("token", metavar="TOKEN_ID"),),
            ),
        ),
    ),
    Command(
        name="outbox",
        says="what leaves the house, and what could not",
        parts=(
            Command(
                name="list",
                says="the newest dispatches",
                run=_ROOM + "outgoing:list_dispatches",
                options=(
                    _o("--state", default="", choices=("", "waiting", "sent", "failed", "given_up")),
                    _o("--case", default="", metavar="CASE"),
                    _o("--limit", type=int, default=50, metavar="N"),
                ),
            ),
            Command(
                name="show",
                says="one dispatch with its delivery log",
                run=_ROOM + "outgoing:show",
                options=(_o("dispatch", metavar="DISPATCH"),),
            ),
            Command(
                name="retry",
                says="send again what failed for good",
                run=_ROOM + "outgoing:retry",
                options=(
                    _o("dispatch", nargs="*", metavar="DISPATCH"),
                    _o("--all", action="store_true", help="everything that failed"),
                ),
            ),
            Command(
                name="drop",
                says="give up what failed for good",
                run=_ROOM + "outgoing:drop",
                options=(
                    _o("dispatch", nargs="+", metavar="DISPATCH"),
                    _o("--reason", required=True, metavar="TEXT"),
                ),
            ),
        ),
    ),
    Command(
        name="webhook",
        says="servers that are told what happens",
        parts=(
            Command(name="list", says="those that are told", run=_ROOM + "outgoing:list_webhooks"),
            Command(
                name="add",
                says="a new one; answers the secret that its signatures are checked with",
                run=_ROOM + "outgoing:add_webhook",
                options=(
                    _o("url", metavar="URL"),
                    _o("--event", action="append", default=[], metavar="PATTERN", help="bpm.task.* …"),
                ),
            ),
            Command(
                name="end",
                says="tell it nothing more",
                run=_ROOM + "outgoing:end_webhook",
                options=(_o("webhook", metavar="WEBHOOK"),),
            ),
        ),
    ),
    Command(
        name="doctor",
        says="say what is wrong with this installation",
        run=_ROOM + "keeping:doctor",
    ),
)
