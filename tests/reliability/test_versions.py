"""A version is deployed while cases start: each case runs one version from its first entry to its last."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa

from tests.engine.drawing import process
from tests.reliability.doors import doors, everything_is_sound
from workflows.actors.policy import SYSTEM
from workflows.library.packages import DRAWING, read_files
from workflows.store.tables import cases, definitions

STARTERS = 3


def version(number):
    """The process as its version `number` draws it: the only task says which one it is."""
    return read_files({DRAWING: process("moving").start().user(f"v{number}", "officers").end().xml})


def deploys(number):
    def act(door):
        with door._database.begin() as connection:
            return door.library.deploy(connection, version(number), by="owner", at=door._clock())

    return act


def starts(door):
    return door.start_case("moving", {}, actor=SYSTEM, unit="u01")


def test_a_case_that_starts_while_a_version_is_deployed_runs_one_of_the_two_throughout(story, campaign):
    races = campaign.times(25, 1_000)  # on each database
    deploys(1)(story.commands)
    began = Counter()

    with doors(story, 1 + STARTERS) as entrances:
        for number in range(2, races + 2):
            deployed, *started = entrances.at_once([deploys(number), *[starts] * STARTERS])
            assert deployed.version == number
            for case in started:
                (task,) = case.tasks
                with story.database.connect() as connection:
                    query = sa.select(cases.c.definition_id).where(cases.c.case_id == case.case_id)
                    pinned = connection.scalar(query)
                assert pinned == f"moving:{task.element[1:]}"
                began[number - int(task.element[1:])] += 1
            assert starts(story.commands).tasks[0].element == f"v{number}"

    assert set(began) <= {0, 1}
    with story.database.connect() as connection:
        versions = list(connection.scalars(sa.select(definitions.c.version).order_by(definitions.c.version)))
    assert versions == list(range(1, races + 2))
    assert everything_is_sound(story.database) == races * (STARTERS + 1)
    campaign.tell(
        "corner 13",
        races=races,
        started_with_the_old=began[1],
        started_with_the_new=began[0],
        mixed=sum(began.values()) - began[0] - began[1],
    )
