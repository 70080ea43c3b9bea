"""Checkpoints and bundles at the command line: signed, kept outside, compared, verified without us."""

from __future__ import annotations

import stat

import pytest

from workflows.proof.bundle.verify import main as verify_bundle

CASE = "GF-2026-000001"


@pytest.fixture
def keyed(season):
    """A small season in a house that has a key."""
    season("init --json")
    season.key = (season.folder / "checkpoints" / "keys").read_text()
    return season


def checkpoint(tidu, name):
    """A checkpoint, kept in a file outside."""
    code, answer = tidu(f"checkpoint -o {tidu.folder.parent / name} --json")
    assert code == 0, answer
    return tidu.folder.parent / name, answer


def findings(tidu, line):
    code, answer = tidu(f"{line} --json")
    return code, [(f["code"], f["case"], f["seq"]) for f in answer["findings"]]


def test_init_makes_a_key_that_nobody_else_reads_and_keeps_it(tidu_bare):
    told = tidu_bare("init")[1]
    folder = tidu_bare.folder / "checkpoints"
    shown = (folder / "keys").read_text()

    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert f"checkpoints are signed by {shown}" in told
    assert tidu_bare("init --json")[0] == 0
    assert (folder / "keys").read_text() == shown


def test_without_a_key_it_says_how_to_get_one(season):
    code, answer = season("checkpoint --json")

    assert (code, answer["error"]["code"]) == (1, "NO_KEY")


def test_a_checkpoint_is_told_and_written(keyed):
    path, answer = checkpoint(keyed, "c.txt")

    assert set(answer) == {"origin", "size", "root", "note", "key"}
    assert path.read_text(encoding="utf-8") == answer["note"]
    assert answer["note"].split("\n")[:3] == [answer["origin"], str(answer["size"]), answer["root"]]
    assert answer["size"] == keyed.count("journal")
    assert keyed("checkpoint")[1] == answer["note"]  # nothing is new


def test_the_doctor_says_how_it_stands_with_signing(keyed):
    def sign():
        return next(s for s in keyed("doctor --json")[1]["signs"] if s["name"] == "checkpoints")

    assert sign()["detail"] == "none was signed yet"
    _, answer = checkpoint(keyed, "c.txt")
    assert sign()["detail"] == f"the last knows {answer['size']} entries, all are there"
    (keyed.folder / "checkpoints" / "key").unlink()
    assert "tidu init" in sign()["detail"]


def test_the_journal_of_today_extends_the_checkpoint_of_yesterday(keyed):
    path, _ = checkpoint(keyed, "c.txt")
    keyed("demo --cases 1 --json")
    cases = keyed.execute("SELECT count(DISTINCT case_id) FROM positions")[0][0]

    code, answer = keyed(f"verify --against {path} --json")

    assert (code, answer) == (0, {"cases": cases, "ok": cases, "findings": []})


def test_a_chain_made_anew_by_whoever_owns_the_database_is_named(keyed):
    path, _ = checkpoint(keyed, "c.txt")
    keyed.execute(
        "UPDATE journal SET digest = substr(digest, 2) || '0' WHERE case_id = :case AND seq >= 7", case=CASE
    )

    assert findings(keyed, f"verify --against {path}") == (1, [("V-CHECKPOINT-BREAK", CASE, 7)])
    assert findings(keyed, f"verify {CASE}")[1][0][1:] == (CASE, 7)
    assert ("V-CHECKPOINT-BREAK", CASE, 7) in findings(keyed, "verify --all")[1]


def test_a_restored_backup_older_than_a_checkpoint_is_a_gap(keyed, tmp_path, monkeypatch):
    """The key and the newest checkpoint outlived the database that was lost."""
    checkpoint(keyed, "before.txt")
    keyed(f"backup -o {tmp_path / 'b.zip'}")
    keyed("demo --cases 1 --json")
    path, after = checkpoint(keyed, "after.txt")
    (keyed.folder / "tidu.db").unlink()

    code, found = findings(keyed, f"restore {tmp_path / 'b.zip'}")

    assert (code, found) == (1, [("V-CHECKPOINT-GAP", "", 0)])
    assert f"the checkpoint knows {after['size']} entries" in keyed(f"verify --against {path}")[1]
    assert keyed("checkpoint --json")[1]["error"]["code"] == "JOURNAL_WENT_BACK"
    (sign,) = (s for s in keyed("doctor --json")[1]["signs"] if s["name"] == "checkpoints")
    assert not sign["ok"]
    assert f"the last checkpoint knows {after['size']} entries" in sign["detail"]


def test_after_a_loss_work_goes_on_under_a_new_key_and_the_reason_is_on_record(keyed, tmp_path):
    keyed(f"backup -o {tmp_path / 'b.zip'}")
    keyed("demo --cases 1 --json")
    path, before = checkpoint(keyed, "c.txt")
    (keyed.folder / "tidu.db").unlink()
    keyed(f"restore {tmp_path / 'b.zip'}")

    code, answer = keyed(["checkpoint", "--new-key", "the disk of 3 March", "--json"])

    assert (code, answer["key"] != before["key"]) == (0, True)
    records = keyed.execute("SELECT reason FROM operations WHERE action = 'checkpoint-key'")
    assert records == [("the disk of 3 March",)]
    assert findings(keyed, "verify --all") == (0, [])
    assert ("V-CHECKPOINT-GAP", "", 0) in findings(keyed, f"verify --against {path}")[1]


def test_a_bundle_verifies_without_us(keyed, tmp_path, capsys):
    path, _ = checkpoint(keyed, "c.txt")
    keyed("demo --cases 1 --json")
    out, keys = tmp_path / "b.zip", tmp_path / "keys.txt"
    keys.write_text(keyed.key)

    code, answer = keyed(f"bundle {CASE} GF-2026-000002 -o {out} --since {path} --files --json")

    assert code == 0
    assert set(answer) == {"file", "bytes", "entries", "size", "note"}
    assert set(answer["entries"]) == {CASE, "GF-2026-000002"}
    assert verify_bundle([str(out), "--key", str(keys), "--since", str(path)]) == 0
    assert verify_bundle([str(out)]) == 3
    assert b"attachments/" in out.read_bytes()


def test_a_bundle_of_a_case_that_is_not_there_is_none(keyed, tmp_path):
    code, answer = keyed(f"bundle GF-2026-999999 -o {tmp_path / 'b.zip'} --json")

    assert (code, answer["error"]["code"]) == (1, "CASE_NOT_FOUND")
    assert not (tmp_path / "b.zip").exists()


def test_what_is_no_checkpoint_is_refused(keyed, tmp_path):
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "b.txt").write_bytes(b"\xff")

    assert findings(keyed, f"verify --against {tmp_path / 'x.txt'}") == (1, [("V-CHECKPOINT-KEY", "", 0)])
    assert keyed(f"verify --against {tmp_path / 'b.txt'} --json")[1]["error"]["code"] == "NOTE_UNREADABLE"
    assert keyed(f"verify --against {tmp_path / 'none.txt'} --json")[1]["error"]["code"] == "NOTE_UNREADABLE"
    assert (
        keyed(f"bundle {CASE} -o {tmp_path / 'b.zip'} --since {tmp_path / 'x.txt'} --json")[1]["error"][
            "code"
        ]
        == "NOTE_UNREADABLE"
    )
    assert keyed("verify")[0] == 2
    assert keyed(f"verify {CASE} --all")[0] == 2


def test_an_auditor_verifies_with_the_key_they_kept(keyed, tmp_path, monkeypatch):
    """The house lost its keys; whoever has them outside can still compare."""
    path, _ = checkpoint(keyed, "c.txt")
    (tmp_path / "keys.txt").write_text(keyed.key)
    for file in (keyed.folder / "checkpoints").iterdir():
        file.unlink()

    assert findings(keyed, f"verify --against {path}")[1] == [("V-CHECKPOINT-KEY", "", 0)]
    assert findings(keyed, f"verify --against {path} --key {tmp_path / 'keys.txt'}") == (0, [])
