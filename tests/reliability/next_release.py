"""The programs of the next release: today's, with one migration more.

`python -m tests.reliability.next_release init` is its `tidu init`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from web.cli import main
from workflows.store import schema

NUMBER = f"{int(schema.newest()) + 1:04}"
MIGRATION = f'''"""One table more."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "{NUMBER}", "{schema.newest()}"
branch_labels = depends_on = None


def upgrade():
    op.create_table("of_the_next_release", sa.Column("number", sa.Integer, primary_key=True))
'''

if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        schema.MIGRATIONS = Path(shutil.copytree(schema.MIGRATIONS, Path(folder) / "migrations"))
        (schema.MIGRATIONS / "versions" / f"v{NUMBER}_next.py").write_text(MIGRATION, encoding="utf-8")
        schema.newest.cache_clear()
        came = main.main(sys.argv[1:])
    sys.exit(came)
