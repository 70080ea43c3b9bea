"""`tidu init, check, play, decide, deploy, export`: processes, on disk and in the database."""

from __future__ import annotations

import argparse
import json
from decimal import Decimal
from typing import Any

from engine.errors import InvalidInput
from web.app import new_seed, wall_clock
from web.cli import house
from web.cli.voice import Voice, package_report
from workflows.library.packages import read_folder
from workflows.workshop.checking import check_path, packages_at
from workflows.workshop.checking import decide as decide_by_file
from workflows.workshop.play import Theatre
from workflows.workshop.played import differences

REFUSED = 1


def init(arguments: argparse.Namespace, voice: Voice) -> int:
    """Bring schema and library to this release; answers what is new, and how many cases there are."""
    rooms = house.any_house()
    new = house.bring_up_to_date(rooms)
    key = rooms.checkpoints.begin(new_seed(), place=house.place_of(rooms))
    lines = [f"deployed {version}" for version in new] or ["everything was there already"]
    document = {"deployed": new, "cases": len(rooms.history.case_ids())}
    voice.answer(document, *lines, f"checkpoints are signed by {key.vkey}")
    return 0


def check(arguments: argparse.Namespace, voice: Voice) -> int:
    """Check packages, folders of packages and files on disk; refused if one could not be deployed."""
    trial = house.trial()
    paths = [one for path in arguments.path for one in packages_at(path)]
    problems = [problem for path in paths for problem in check_path(path, check=trial.check)]
    report = package_report(problems)
    voice.answer(*report)
    return 0 if report[0]["deployable"] else REFUSED


def play(arguments: argparse.Namespace, voice: Voice) -> int:
    """Play one example in memory; refused if it ended otherwise than it says."""
    example = _json(arguments.example.read_text(encoding="utf-8"), str(arguments.example))
    played = Theatre(check=house.trial().check).play(arguments.path, example)
    voice.answer(played.document())
    missed = differences(example, played)
    voice.tell(*missed)
    return REFUSED if missed else 0


def decide(arguments: argparse.Namespace, voice: Voice) -> int:
    """Make one decision of a file, or ask one decision service."""
    inputs = _json(arguments.inputs, "--inputs")
    made = decide_by_file(
        arguments.file,
        arguments.decision,
        inputs,
        service=arguments.service,
        now=wall_clock(),
        make=house.trial().decide,
    )
    voice.answer({"value": made.value, "matched": list(made.matched)})
    return 0


def deploy(arguments: argparse.Namespace, voice: Voice) -> int:
    """The folder becomes the newest version of its process, unless it already is."""
    rooms = house.open_house()
    package = read_folder(arguments.path.resolve())
    with rooms.database.begin() as connection:
        version = rooms.catalog.deploy(connection, package, by="system", at=rooms.clock())
    voice.answer({"process": version.key, "version": version.version, "digest": version.digest}, version.id)
    return 0


def export(arguments: argparse.Namespace, voice: Voice) -> int:
    """Write a version, as it was deployed, into a folder that is named after its process."""
    rooms = house.open_house()
    name = arguments.process
    if ":" not in name:
        with rooms.reading() as connection:
            name = rooms.catalog.current(connection, name, rooms.clock()).id
    key = name.partition(":")[0]
    folder = arguments.output if arguments.output.name == key else arguments.output / key
    package = rooms.catalog.export(name, folder)
    voice.answer({"process": name, "folder": str(folder), "files": sorted(package.files)}, str(folder))
    return 0


def _json(text: str, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{what} is not JSON: {error}", code="MALFORMED") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{what} must be a JSON object", code="MALFORMED")
    return found
