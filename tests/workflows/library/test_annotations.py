"""Annotations: a matched rule is told by its words and its clause, not by its id."""

from __future__ import annotations

from workflows.library.annotations import told_rules

TABLE = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">
  <decision id="d" name="部门意见判定"><decisionTable>
    <rule id="r1"><description>F36 追溯期内一票否决</description></rule>
    <rule id="r2"><description>GF-P4 转下一批次 (inferred)</description></rule>
    <rule id="r3"><annotationEntry><text>其余情形</text></annotationEntry></rule>
    <rule id="r4"/>
  </decisionTable></decision>
</definitions>""".encode()


def test_a_rule_tells_its_clause_and_its_words() -> None:
    rule = told_rules(TABLE)["r1"]

    assert (rule.clause, rule.text, rule.row, rule.decision) == ("F36", "追溯期内一票否决", 1, "部门意见判定")


def test_what_was_inferred_says_so() -> None:
    rule = told_rules(TABLE)["r2"]

    assert (rule.clause, rule.text, rule.is_inferred) == ("GF-P4", "转下一批次", True)
    assert not told_rules(TABLE)["r1"].is_inferred


def test_newer_annotation_columns_are_read_too() -> None:
    assert told_rules(TABLE)["r3"].text == "其余情形"


def test_a_rule_without_words_keeps_its_row() -> None:
    rule = told_rules(TABLE)["r4"]

    assert (rule.text, rule.clause, rule.row) == ("", "", 4)


def test_a_part_of_a_clause_and_inferred_at_the_head_are_told_too() -> None:
    table = TABLE.replace("F36 追溯期内一票否决".encode(), "F36(1) 未正常经营".encode())
    table = table.replace("GF-P4 转下一批次 (inferred)".encode(), "inferred: WE-M1 其余".encode())
    first, second = (told_rules(table)[rule] for rule in ("r1", "r2"))

    assert (first.clause, first.text, first.is_inferred) == ("F36(1)", "未正常经营", False)
    assert (second.clause, second.text, second.is_inferred) == ("WE-M1", "其余", True)
