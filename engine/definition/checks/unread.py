"""Rules of what no room here reads: where it would change what happens, it is refused by name."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from engine.definition.checks.finding import error
from engine.definition.checks.references import Names, bpmn_elements, owner_of
from engine.definition.vocabulary import BPMN, ZEEBE, children, extension, is_true, local_name
from engine.errors import Problem

COLLECTED = {
    "loopDataInputRef": "inputCollection",
    "inputDataItem": "inputElement",
    "loopDataOutputRef": "outputCollection",
    "outputDataItem": "outputElement",
}


def check_unread(names: Names) -> Iterator[Problem]:
    """Every such rule for the executable parts of a file."""
    for element in bpmn_elements(names.root):
        tag = local_name(element)
        if tag == "multiInstanceLoopCharacteristics" and _is_run(element):
            yield from _collections(element)


def _is_run(element: etree._Element) -> bool:
    process = next(element.iterancestors(f"{BPMN}process"), None)
    return process is not None and is_true(process, "isExecutable", "true")


def _collections(loop: etree._Element) -> Iterator[Problem]:
    """BPMN's own lists and items must have their counterpart in zeebe:loopCharacteristics."""
    run = extension(loop, f"{ZEEBE}loopCharacteristics")
    for tag, attribute in COLLECTED.items():
        drawn = next(children(loop, tag), None) is not None
        if drawn and (run is None or not run.get(attribute)):
            activity = loop.getparent()
            own = owner_of(loop if activity is None else activity)
            yield error(
                own,
                f"loop.{tag}",
                f"{tag} of {own} is not executed; name the variable as {attribute} of "
                "zeebe:loopCharacteristics",
                f"{own} 的 {tag} 不会执行，请在 loopCharacteristics 中指定 {attribute}",
            )
