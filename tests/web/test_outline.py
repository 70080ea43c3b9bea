"""The outline of a drawing: every process that a case has reached, in the order of the calls."""

from tests.engine.drawing import process
from web.outline import tree


def test_a_global_task_follows_its_caller():
    drawing = process().start().call("c", "g").end().define('<bpmn:globalTask id="g" name="shared"/>')
    shown = tree(drawing.read())

    assert [(one["id"], [node["id"] for node in one["children"]]) for one in shown] == [
        ("p", ["start", "c", "end"]),
        ("g", ["g"]),
    ]
