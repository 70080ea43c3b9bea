"""Many cases at once, for scenarios that ask what a full store costs: rows copied from one played case.

A copy has every row of its model under another number. The digests are the model's, so a copied journal
reads and projects but would not verify; nothing here verifies one.
"""

from __future__ import annotations

import sqlalchemy as sa

from bench.subjects.ours import Ours
from bench.subjects.subject import Load, drive
from engine.tables import journal, snapshots
from workflows.store.tables import READ_MODELS, operations

TABLES = (journal, snapshots, *READ_MODELS, operations)
COUNTED = {"operations": "number"}  # the database counts these rows
STEP = 20_000
NUMBERS = {
    "postgresql": "SELECT '{stem}' || lpad(g::text, 8, '0') AS id FROM generate_series({first}, {last}) g",
    "sqlite": (
        "WITH RECURSIVE g(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM g WHERE n < {last})"
        " SELECT printf('{stem}%08d', n) AS id FROM g"
    ),
}


def finished_cases(subject: Ours, number: int, *, first: int = 1) -> None:
    """So many finished cases of the benchmark's shape beside what there is, numbered from `first`."""
    (model,) = drive(subject, Load(cases=1)).cases
    copies(subject.database, model, number, first=first)


def copies(database: sa.Engine, model: str, number: int, *, first: int = 1) -> None:
    """So many copies of the case `model`, `XX-0000-00000001` and on, and the statistics to plan with."""
    stem = f"{model.partition('-')[0]}-0000-"
    for begin in range(first, first + number, STEP):
        end = min(begin + STEP, first + number) - 1
        numbers = NUMBERS[database.dialect.name].format(stem=stem, first=begin, last=end)
        with database.begin() as connection:
            for table in TABLES:
                connection.execute(sa.text(_copy(table, numbers)), {"model": model})
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _copy(table: sa.Table, numbers: str) -> str:
    columns = [column for column in table.c if column.name != COUNTED.get(table.name)]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_value(column) for column in columns)
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {values}"
        f" FROM {table.name} t CROSS JOIN ({numbers}) n WHERE t.case_id = :model"
    )


def _value(column: sa.Column[object]) -> str:
    """The model's value, with the copy's number wherever the model's stands in it."""
    stored = f't."{column.name}"'
    kind = getattr(column.type, "impl", column.type)
    return f"replace({stored}, :model, n.id)" if isinstance(kind, sa.Text) else stored
