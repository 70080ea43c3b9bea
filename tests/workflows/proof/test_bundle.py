"""What goes into a bundle, out of either database: as much as a checkpoint knows, and no more."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import sqlalchemy as sa

from engine.errors import InvalidInput, NotFound, WrongState
from engine.proof.notes import named
from workflows.proof.bundle.verify import judge, opened, read_keys
from workflows.proof.bundle.writing import Sources, make_bundle
from workflows.proof.checkpoints.keyring import Keyring
from workflows.proof.checkpoints.taking import Checkpoints
from workflows.proof.evidence import Paper, Store, attach, store

SEED = bytes(range(32))
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
def sources(story, tmp_path):
    taking = Checkpoints(story.database, Keyring(tmp_path / "checkpoints"), clock=story.clock)
    taking.begin(SEED, place="tidu.example.org")
    files = Store(tmp_path / "evidence")
    return Sources(database=story.database, library=story.catalog, files=files, checkpoints=taking)


def keys(sources):
    return read_keys(sources.checkpoints.ring.signer().verifier.vkey)


def with_paper(story, sources):
    with story.database.begin() as connection:
        told = Paper(name="能耗报表.pdf")
        made = store(
            connection,
            sources.files,
            io.BytesIO(PDF),
            told,
            evidence_id="paper1",
            by="app01",
            now=story.clock(),
        )
        attach(connection, ["paper1"], case_id=story.case_id, by="app01")
    return made.digest


def test_a_bundle_holds_a_case_whole_and_verifies(story, sources):
    story.start().do("check", "lz.officer", outcome="accepted").pass_time("P4D")

    made = make_bundle(sources, [story.case_id])

    parts = opened(made.data)
    lines = parts[f"cases/{story.case_id}/entries.jsonl"].decode().splitlines()
    assert [json.loads(line)["type"] for line in lines] == story.entries()
    assert made.entries == {story.case_id: len(lines)}
    assert {"verify.py", "verify.mjs", "VERIFY.zh.md", "keys.txt", "checkpoint.txt"} <= set(parts)
    assert any(name.endswith("/bpmn/small_review.bpmn") for name in parts)
    assert judge(made.data, keys(sources))[-1].startswith("SOUND")
    assert zipfile.ZipFile(io.BytesIO(made.data)).testzip() is None


def test_attachments_are_listed_and_come_along_if_wanted(story, sources):
    story.start()
    digest = with_paper(story, sources)

    listed, whole = (
        make_bundle(sources, [story.case_id]),
        make_bundle(sources, [story.case_id], with_files=True),
    )

    (paper,) = json.loads(opened(listed.data)[f"cases/{story.case_id}/attachments.json"])
    assert (paper["id"], paper["digest"], paper["name"]) == ("paper1", digest, "能耗报表.pdf")
    assert f"attachments/{digest}" not in opened(listed.data)
    assert opened(whole.data)[f"attachments/{digest}"] == PDF
    for made in (listed, whole):
        assert judge(made.data, keys(sources))[-1].startswith("SOUND")


def test_an_earlier_checkpoint_of_ours_is_extended_one_of_others_is_refused(story, sources):
    story.start()
    old = sources.checkpoints.take().note
    story.start()
    thief = named(bytes(32), "tidu.example.org")

    made = make_bundle(sources, [story.case_id], since=[old])

    assert any("the checkpoint you kept" in line for line in judge(made.data, keys(sources), [old]))
    with pytest.raises(InvalidInput, match="known key"):
        make_bundle(sources, [story.case_id], since=[thief.sign(old.partition("\n\n")[0] + "\n")])


def test_a_checkpoint_that_knows_more_than_the_database_makes_no_bundle(story, sources):
    story.start()
    signer, now = sources.checkpoints.ring.signer(), sources.checkpoints.take().checkpoint
    beyond = signer.sign(now.text.replace(f"\n{now.size}\n", f"\n{now.size + 5}\n"))

    with pytest.raises(InvalidInput) as refused:
        make_bundle(sources, [story.case_id], since=[beyond])

    assert refused.value.code == "JOURNAL_WENT_BACK"


def test_a_case_that_is_not_there_makes_no_bundle(sources):
    with pytest.raises(NotFound):
        make_bundle(sources, ["SR-2026-999999"])


def test_without_a_key_there_is_no_bundle(story, sources, tmp_path):
    story.start()
    without = Checkpoints(story.database, Keyring(tmp_path / "nothing"), clock=story.clock)
    bare = Sources(database=story.database, library=story.catalog, files=sources.files, checkpoints=without)

    with pytest.raises(WrongState) as refused:
        make_bundle(bare, [story.case_id])

    assert refused.value.code == "NO_KEY"


def test_a_bundle_of_a_tampered_case_is_made_and_fails_where_it_was_tampered_with(story, sources):
    """Who exports evidence of a forgery gets it; whoever verifies it learns the place."""
    story.start()
    sources.checkpoints.take()
    with story.database.begin() as connection:
        change = "UPDATE journal SET body = replace(body, 'app01', 'app09') WHERE case_id = :case AND seq = 1"
        connection.execute(sa.text(change), {"case": story.case_id})

    made = make_bundle(sources, [story.case_id])

    with pytest.raises(Exception, match=f"case {story.case_id}, entry 1: it is not the entry"):
        judge(made.data, keys(sources))
