"""The table of adversaries: every row, by its id. The numbers are those of our list of 118 inputs."""

from __future__ import annotations

from tests.adversaries import archives, bombs, expressions, uploads
from tests.adversaries.row import Row

ROWS: tuple[Row, ...] = (*uploads.rows(), *archives.rows(), *expressions.rows(), *bombs.rows())
