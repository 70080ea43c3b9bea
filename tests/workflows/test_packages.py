"""What a package says of itself: which other packages it needs."""

from workflows.packages import read_files

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="t">'
)


def calls(inside: str, beside: str = "") -> tuple[str, ...]:
    process = f'<bpmn:process id="p" isExecutable="true">{inside}</bpmn:process>'
    return read_files({"process.bpmn": f"{HEAD}{process}{beside}</bpmn:definitions>".encode()}).calls


def call(process: str) -> str:
    called = f'<zeebe:calledElement processId="{process}"/>'
    return f"<bpmn:callActivity><bpmn:extensionElements>{called}</bpmn:extensionElements></bpmn:callActivity>"


def test_it_needs_every_process_it_calls_once():
    assert calls(call("q") + call("r") + call("q")) == ("q", "r")


def test_bpmns_own_attribute_counts_where_ours_is_missing():
    assert calls('<bpmn:callActivity calledElement="q"/>') == ("q",)


def test_global_tasks_of_its_own_file_need_no_package():
    assert calls(call("g") + call("q"), '<bpmn:globalScriptTask id="g"/>') == ("q",)
