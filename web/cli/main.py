"""`tidu …`: read the arguments, call the command, turn refusals into exit codes."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from web.cli.table import COMMANDS, Command, Option
from web.cli.voice import Voice

FLOORS = ("web", "workflows", "engine")
DONE, REFUSED, MISUSED = 0, 1, 2
"""Exit codes: done, refused or something found, wrong usage."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code."""
    arguments = _parser().parse_args(argv)
    voice = Voice(as_json=arguments.json)
    if not _floors_lie_together():
        voice.refuse(
            "NOT_AT_HOME", "web, workflows and engine come from different places: use an own environment"
        )
        return MISUSED
    try:
        return _call(arguments, voice)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        sys.stderr.close()
        return DONE


def _call(arguments: argparse.Namespace, voice: Voice) -> int:
    from sqlalchemy.exc import OperationalError  # not before: `tidu --help` shall be quick

    from engine.errors import BadDefinition, EngineError

    room, _, verb = arguments.command.run.partition(":")
    try:
        return int(getattr(importlib.import_module(room), verb)(arguments, voice) or DONE)
    except BadDefinition as error:
        voice.refuse_package(error.problems)
    except EngineError as error:
        voice.refuse(getattr(error, "code", type(error).__name__), str(error))
    except OperationalError as error:
        voice.refuse("DATABASE_AWAY", f"the database does not answer: {error.orig}")
    return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidu", description="Gradient cultivation as executable BPMN.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        _add(commands, command)
    return parser


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], command: Command) -> None:
    parser = commands.add_parser(command.name, help=command.says, description=command.says)
    if command.parts:
        parts = parser.add_subparsers(metavar="ACTION", required=True)
        for part in command.parts:
            _add(parts, part)
        return
    for option in (*command.options, Option.named("--json", action="store_true", help="one JSON document")):
        parser.add_argument(*option.names, **option.settings)
    parser.set_defaults(command=command)


def _floors_lie_together() -> bool:
    """Other distributions have a `web` or an `engine` too; ours are three folders side by side."""
    homes = set()
    for floor in FLOORS:
        found = importlib.util.find_spec(floor)
        homes.add(Path(found.origin).parent.parent if found and found.origin else None)
    return len(homes) == 1


if __name__ == "__main__":
    sys.exit(main())
