"""What a page shows of a form before anybody has typed anything."""

from decimal import Decimal

import pytest

from tests.workflows.library.forms.parts import form, number, rows, text
from web.pages import form_view

STANDARD = [{"no": Decimal(1), "name": "回收率"}, {"no": Decimal(2), "name": "披露"}]


@pytest.fixture
def shown(app):
    """The rows of the only list of a form: of each the values of its inputs."""

    def show(made, values, context):
        with app.test_request_context():
            (node,) = form_view.draw(made, values, context=context)
        return [[cell.value for cell in row] for row in node.rows]

    return show


def reported(**more):
    name = {
        "type": "expression",
        "id": "E",
        "key": "name",
        "label": "指标",
        "expression": "=standard[i].name",
    }
    inputs = (name, number("confirmed"), text("remark"))
    return form(rows(*inputs, path="indicators", properties={"rowsOf": "=standard"}, **more))


def test_a_list_that_stands_for_another_has_a_row_for_each_of_its_items(shown):
    assert shown(reported(), {}, {"standard": STANDARD}) == [["回收率", "", ""], ["披露", "", ""]]


def test_such_a_list_begins_with_what_the_task_knows(shown):
    known = [{"no": Decimal(1), "confirmed": Decimal("82.5")}, {"no": Decimal(2), "confirmed": None}]

    begun = shown(reported(), {}, {"standard": STANDARD, "indicators": known})
    typed = shown(
        reported(), {"indicators": [{"confirmed": "7"}, {}]}, {"standard": STANDARD, "indicators": known}
    )

    assert begun == [["回收率", "82.5", ""], ["披露", "", ""]]
    assert typed == [["回收率", "7", ""], ["披露", "", ""]]


def test_what_the_task_knows_of_another_list_is_not_taken_for_it(shown):
    context = {"standard": STANDARD, "indicators": [{"confirmed": Decimal(3)}]}

    assert shown(reported(), {}, context) == [["回收率", "", ""], ["披露", "", ""]]


def test_english_pages_show_english_names_and_what_was_kept_stays_chinese(app):
    name = {"type": "expression", "id": "E", "key": "name", "expression": "=standard[i].name"}
    english = name | {"properties": {"expressionEn": "=standard[i].name_en"}}
    made = form(rows(english, number("confirmed"), path="indicators", properties={"rowsOf": "=standard"}))
    known = [STANDARD[0] | {"name_en": "Recovery rate"}]
    kept = {"indicators": [{"name": "回收率", "confirmed": Decimal(3)}]}

    def cell(language, frozen):
        with app.test_request_context(headers={"Accept-Language": language}):
            (node,) = form_view.draw(made, kept, context={"standard": known}, frozen=frozen)
        return node.rows[0][0].value

    assert [cell("en", frozen) for frozen in (False, True)] == ["Recovery rate", "Recovery rate"]
    assert [cell("zh-CN", frozen) for frozen in (False, True)] == ["回收率", "回收率"]
    assert made.check(kept, context={"standard": known}) == kept
