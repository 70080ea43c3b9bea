"""The authority beside a candidate's name, so that a list of one authority is read from an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from workflows.store.tables import candidates, tasks

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WERE = {
    "ix_candidates_kind_name_claimable_due_sort_task_id": "due_sort",
    "ix_candidates_kind_name_claimable_created_at_task_id": "created_at",
}
"""The indexes of before, by what they order."""


def upgrade() -> None:
    """Copy it from the tasks; the indexes that end with it take the place of those of before."""
    connection = op.get_bind()
    if "authority" not in {column["name"] for column in sa.inspect(connection).get_columns("candidates")}:
        op.add_column("candidates", sa.Column("authority", sa.Text, nullable=False, server_default=""))
        its_task = (tasks.c.case_id == candidates.c.case_id) & (tasks.c.task_id == candidates.c.task_id)
        copied = sa.select(tasks.c.authority).where(its_task).scalar_subquery()
        connection.execute(sa.update(candidates).values(authority=copied))
    for name in WERE:
        op.drop_index(name, "candidates", if_exists=True)
    for index in candidates.indexes:
        index.create(connection, checkfirst=True)


def downgrade() -> None:
    """As before."""
    for index in candidates.indexes:
        index.drop(op.get_bind(), checkfirst=True)
    op.drop_column("candidates", "authority")
    for name, ordered in WERE.items():
        op.create_index(name, "candidates", ["kind", "name", "claimable", ordered, "task_id"])
