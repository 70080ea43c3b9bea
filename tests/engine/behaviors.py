"""What the instances of an activity throw when they are done, as XML for the drawings of tests."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from tests.engine.drawing import FORMAL


def throwing(behavior: str, inside: str = "", **attributes: str) -> str:
    """Three instances that throw something when they are done."""
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return (
        f'<bpmn:multiInstanceLoopCharacteristics behavior="{behavior}"{written}>'
        f"<bpmn:loopCardinality {FORMAL}>=3</bpmn:loopCardinality>{inside}"
        "</bpmn:multiInstanceLoopCharacteristics>"
    )


def when(text: str, event: str) -> str:
    """What a complex behaviour throws while a condition is true."""
    condition = f"<bpmn:condition {FORMAL}>{escape(text)}</bpmn:condition>"
    inside = f"{condition}<bpmn:event>{event}</bpmn:event>"
    return f"<bpmn:complexBehaviorDefinition>{inside}</bpmn:complexBehaviorDefinition>"
