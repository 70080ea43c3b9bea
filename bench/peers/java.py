"""The Java engines: their artefacts from Maven Central by a pinned pom, our harness compiled against them.

Nothing of theirs is kept in the project; Maven's own store keeps it between runs.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from bench.stores import Unavailable

HERE = Path(__file__).parent / "java"
DECISION = HERE.parents[1] / "drawn" / "bench_case" / "bench_score.dmn"
ENGINES = {"flowable": "Flowable", "operaton": "Operaton"}
PATIENCE = 600


@cache
def prepared(kind: str, folder: Path) -> Callable[[str, int], list[str]]:
    """How this engine's harness, compiled into `folder`, is started over a database. Raises Unavailable."""
    for tool in ("java", "javac", "mvn"):
        if shutil.which(tool) is None:
            raise Unavailable(f"there is no {tool}")
    path = _class_path(kind)
    classes = folder / f"{kind}-classes"
    sources = [str(HERE / f"{name}.java") for name in ("Peer", ENGINES[kind])]
    _call(["javac", "-encoding", "UTF-8", "-d", str(classes), "-cp", path, *sources])
    start = ["java", "-Xmx1g", "-cp", f"{classes}:{path}", ENGINES[kind]]
    drawn = [str(HERE / f"{kind}.bpmn"), str(DECISION)]
    return lambda url, threads: [*start, _jdbc(url), str(threads), *drawn]


def _class_path(kind: str) -> str:
    with tempfile.NamedTemporaryFile(prefix="tidu-bench-path-") as out:
        pom = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), f"-P{kind}"]
        _call([*pom, "dependency:build-classpath", f"-Dmdep.outputFile={out.name}"])
        return Path(out.name).read_text().strip()


def _call(command: list[str]) -> None:
    """Run to the end. Raises Unavailable with the first line that tells of an error."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if ended.returncode:
        told = (ended.stdout + ended.stderr).splitlines()
        raise Unavailable(next((line for line in told if "rror" in line), f"{command[0]} failed")[:300])


def _jdbc(url: str) -> str:
    address = sa.make_url(url)
    return f"jdbc:postgresql://{address.host}:{address.port}/{address.database}?user={address.username}"
