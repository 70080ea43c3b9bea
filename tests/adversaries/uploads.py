"""Rows 1 to 29: files that are sent as drawings and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.adversaries.row import KEY, Attack, Row, drawn, sent
from tests.engine.drawing import HEAD, Drawing, extension, process
from tests.engine.drawn_decisions import model, needs, table

ENTITY = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd">%p;]>'
LAUGHS = (
    "<!DOCTYPE a [<!ENTITY l0 'ha'>"
    + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 11))
    + "]>"
)
QUADRATIC = f"<!DOCTYPE a [<!ENTITY q '{'a' * 90_000}'>]>"
Send = Callable[[], Attack]
CAMUNDA = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"'


def plain(inside: str = "", process_id: str = KEY, outside: str = "", head: str = HEAD) -> str:
    """The smallest good drawing, with something in it."""
    body = (
        f'<bpmn:process id="{process_id}" isExecutable="true">{inside}'
        '<bpmn:startEvent id="a"/><bpmn:endEvent id="b"/>'
        '<bpmn:sequenceFlow id="f" sourceRef="a" targetRef="b"/></bpmn:process>'
    )
    return f"{head}{outside}{body}</bpmn:definitions>"


def documented(text: str) -> str:
    return plain(f"<bpmn:documentation>{text}</bpmn:documentation>")


def with_task(own: str) -> str:
    """The smallest drawing with a script task of this id, written as XML needs it."""
    written = '<zeebe:script expression="=1" resultVariable="x"/>'
    return (
        f'{HEAD}<bpmn:process id="{KEY}" isExecutable="true"><bpmn:startEvent id="a"/>'
        f'<bpmn:scriptTask id="{own}">{extension(written)}</bpmn:scriptTask><bpmn:endEvent id="b"/>'
        f'<bpmn:sequenceFlow id="f" sourceRef="a" targetRef="{own}"/>'
        f'<bpmn:sequenceFlow id="g" sourceRef="{own}" targetRef="b"/></bpmn:process></bpmn:definitions>'
    )


def decision(data: bytes) -> Attack:
    called = '<zeebe:calledDecision decisionId="d" resultVariable="x"/>'
    drawing = process(KEY).start().add("businessRuleTask", "t", extension(called)).end()
    return drawn(drawing, dmn={"d.dmn": data}, values={"score": 5})


def chain(tasks: int) -> Drawing:
    drawing = process(KEY).start()
    for number in range(tasks):
        drawing.script(f"s{number}", "=1", "x")
    return drawing.end()


def nested(levels: int) -> Drawing:
    drawing = process(KEY).start("a0").script("s", "=1", "x").end("b0")
    for level in range(1, levels + 1):
        outer = process(KEY).start(f"a{level}")
        outer.sub(f"sub{level}", drawing)
        drawing = outer.end(f"b{level}")
    return drawing


XML: dict[str, tuple[Send, tuple[str, ...]]] = {
    "1 entity": (lambda: sent(ENTITY + documented("&x;")), ("refused:xml.doctype",)),
    "2 entity in a decision": (
        lambda: decision(ENTITY.encode() + model(table([["1", '"&x;"']]))),
        ("refused:xml.doctype", "refused:xml.syntax"),
    ),
    "3 entity in UTF-16": (
        lambda: sent((ENTITY + documented("&x;")).encode("utf-16")),
        ("refused:xml.doctype",),
    ),
    "3 entity in UTF-16 without a mark": (
        lambda: sent(('<?xml version="1.0" encoding="UTF-16LE"?>' + ENTITY + plain()).encode("utf-16-le")),
        ("refused:xml.",),
    ),
    "3 entity in UTF-32": (lambda: sent((ENTITY + plain()).encode("utf-32")), ("refused:xml.",)),
    "3 entity in UTF-7": (
        lambda: sent(b'<?xml version="1.0" encoding="UTF-7"?>' + (ENTITY + plain()).encode("utf-7")),
        ("refused:xml.",),
    ),
    "3 entity behind a mark": (
        lambda: sent((ENTITY + documented("&x;")).encode("utf-8-sig")),
        ("refused:xml.doctype",),
    ),
    "3 EBCDIC": (
        lambda: sent(('<?xml version="1.0" encoding="cp037"?>' + plain()).encode("cp037")),
        ("refused:xml.",),
    ),
    "4 parameter entity": (lambda: sent(PARAMETER + plain()), ("refused:xml.doctype",)),
    "5 document type": (
        lambda: sent('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">' + plain()),
        ("refused:xml.doctype",),
    ),
    "5 public document type": (
        lambda: sent('<!DOCTYPE a PUBLIC "-//x//y" "file:///etc/passwd">' + plain()),
        ("refused:xml.doctype",),
    ),
    "6 billion laughs": (
        lambda: sent(LAUGHS + documented("&l10;")),
        ("refused:xml.doctype", "refused:xml.syntax"),
    ),
    "6 laughs in an attribute": (
        lambda: sent(LAUGHS + with_task("&l10;")),
        ("refused:xml.doctype", "refused:xml.syntax"),
    ),
    "7 quadratic": (
        lambda: sent(QUADRATIC + documented("&q;" * 10_000)),
        ("refused:xml.doctype", "refused:xml.syntax"),
    ),
    "8 inclusion": (
        lambda: sent(
            plain(
                '<bpmn:documentation xmlns:xi="http://www.w3.org/2001/XInclude">'
                '<xi:include href="file:///etc/passwd" parse="text"/></bpmn:documentation>'
            )
        ),
        ("completed:x=null", "refused:"),
    ),
    "9 stylesheet": (
        lambda: sent('<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?>' + plain()),
        ("completed:x=null",),
    ),
    "10 schema location": (
        lambda: sent(
            plain(
                head=HEAD.replace(
                    ' id="defs"', ' xsi:schemaLocation="http://127.0.0.1:9/a http://127.0.0.1:9/b" id="defs"'
                )
            )
        ),
        ("completed:x=null", "refused:"),
    ),
    "11 import of a file": (
        lambda: sent(
            plain(outside='<bpmn:import importType="x" location="file:///etc/passwd" namespace="x"/>')
        ),
        ("completed:x=null", "refused:"),
    ),
    "11 import from the network": (
        lambda: sent(
            plain(outside='<bpmn:import importType="x" location="http://127.0.0.1:9/x.xsd" namespace="x"/>')
        ),
        ("completed:x=null", "refused:"),
    ),
    "11 import in a decision": (
        lambda: decision(
            model('<import namespace="x" name="x" importType="x" locationURI="http://127.0.0.1:9/"/>')
        ),
        ("refused:",),
    ),
    "12 a large file": (
        lambda: sent(plain() + " " * 50_000_000),
        ("refused:package.size", "refused:xml.size"),
    ),
    "13 depth": (lambda: sent("<a>" * 100_000 + "</a>" * 100_000), ("refused:xml.",)),
    "13 nested levels": (lambda: drawn(nested(20)), ("completed:x=1",)),
    "13 deeply nested levels": (lambda: drawn(nested(200)), ("refused:xml.depth", "refused:xml.syntax")),
    "13 as deep as XML may be": (
        lambda: drawn(nested(90)),
        ("refused:", "incident:TOO_DEEP", "completed:x=1"),
    ),
    "14 attributes": (
        lambda: sent(plain(head=HEAD[:-1] + "".join(f' a{n}="1"' for n in range(100_000)) + ">")),
        ("refused:xml.attributes",),
    ),
    "14 attributes that collide": (
        lambda: sent(
            plain(head=HEAD[:-1] + "".join(f' {"a" * (n % 50 + 1)}{n}=""' for n in range(60_000)) + ">")
        ),
        ("completed:x=null", "refused:"),
    ),
    "14 namespaces": (
        lambda: sent(plain(head=HEAD[:-1] + "".join(f' xmlns:n{n}="u:{n}"' for n in range(30_000)) + ">")),
        ("completed:x=null", "refused:"),
    ),
    "14 a long name": (
        lambda: sent(
            plain().replace('<bpmn:startEvent id="a"', f'<bpmn:startEvent id="a" name="{"n" * 10_000_000}"')
        ),
        ("refused:package.size",),
    ),
    "14 a name as long as may be": (
        lambda: sent(
            plain().replace('<bpmn:startEvent id="a"', f'<bpmn:startEvent id="a" name="{"n" * 1_900_000}"')
        ),
        ("completed:x=null", "refused:"),
    ),
    "15 a chain": (lambda: drawn(chain(600)), ("completed:x=1",)),
    "15 a long chain": (lambda: drawn(chain(1_990)), ("completed:x=1",)),
    "16 too many elements": (
        lambda: sent(plain("".join(f'<bpmn:task id="t{n}"/>' for n in range(15_000)))),
        ("refused:process.size",),
    ),
    "16 far too many elements": (
        lambda: sent(plain("".join(f'<bpmn:task id="t{n}"/>' for n in range(50_000)))),
        ("refused:xml.nodes",),
    ),
    "16 too many flows": (
        lambda: sent(
            plain(
                "".join(f'<bpmn:sequenceFlow id="x{n}" sourceRef="a" targetRef="b"/>' for n in range(18_000))
            )
        ),
        ("refused:process.size",),
    ),
    "17 an id twice": (
        lambda: sent(plain('<bpmn:task id="a"/>')),
        ("refused:id.unique",),
    ),
    "18 a source that is not there": (
        lambda: sent(plain('<bpmn:sequenceFlow id="x" sourceRef="nobody" targetRef="b"/>')),
        ("refused:flow.dangling",),
    ),
    "18 a target that is not there": (
        lambda: sent(plain('<bpmn:sequenceFlow id="x" sourceRef="a" targetRef=""/>')),
        ("refused:flow.dangling",),
    ),
    "19 markup in an id": (
        lambda: sent(with_task("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;")),
        ("refused:id.name",),
    ),
    "19 quotes in an id": (lambda: sent(with_task("it&apos;s")), ("refused:id.name",)),
    "19 a line end in an id": (lambda: sent(with_task("one&#10;two")), ("refused:id.name",)),
    "19 a reversed id": (lambda: sent(with_task("t\u202etxt")), ("refused:id.name",)),
    "19 a long id": (lambda: sent(with_task("t" * 10_000)), ("refused:id.name",)),
    "19 a colon in an id": (lambda: sent(with_task("a:b")), ("refused:id.name",)),
    "19 a process of a strange id": (lambda: sent(plain(process_id="../x")), ("refused:package.id",)),
    "20 two processes of one id": (
        lambda: sent(
            plain().replace(
                "</bpmn:definitions>", f'<bpmn:process id="{KEY}" isExecutable="false"/></bpmn:definitions>'
            )
        ),
        ("refused:id.unique",),
    ),
    "20 two that can be executed": (
        lambda: sent(
            plain().replace(
                "</bpmn:definitions>", '<bpmn:process id="p2" isExecutable="true"/></bpmn:definitions>'
            )
        ),
        ("refused:package.process",),
    ),
    "22 Camunda's class": (
        lambda: sent(
            with_task("t")
            .replace(
                "<bpmn:scriptTask",
                f'<bpmn:serviceTask {CAMUNDA} camunda:class="java.lang.Runtime"',
            )
            .replace("</bpmn:scriptTask>", "</bpmn:serviceTask>")
        ),
        ("refused:job.missing",),
    ),
    "22 a script in Python": (
        lambda: sent(
            with_task("t").replace(
                "</bpmn:extensionElements>", "</bpmn:extensionElements><bpmn:script>import os</bpmn:script>"
            )
        ),
        ("refused:", "completed:x=1"),
    ),
    "22 a dialect of Java": (
        lambda: sent(
            plain()
            .replace(
                "isExecutable",
                'xmlns:drools="http://www.jboss.org/drools" drools:packageName="x" isExecutable',
            )
            .replace("<bpmn:startEvent", "<bpmn:extensionElements/><bpmn:startEvent", 1)
        ),
        ("completed:x=null", "refused:"),
    ),
    "22 a listener": (
        lambda: sent(
            plain(
                extension(
                    f'<camunda:executionListener {CAMUNDA} event="start">'
                    "<camunda:script scriptFormat='python'>import os; os.system('id')</camunda:script>"
                    "</camunda:executionListener>"
                )
            )
        ),
        ("completed:x=null", "refused:"),
    ),
    "23 markup in a name": (
        lambda: sent(plain().replace('id="a"', 'id="a" name="&lt;img src=x onerror=alert(1)&gt;"')),
        ("completed:x=null",),
    ),
    "23 markup in documentation": (
        lambda: sent(documented("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")),
        ("completed:x=null",),
    ),
    "24 a comment in a reference": (
        lambda: sent(plain().replace('targetRef="b"', 'targetRef="b<!-- -->"')),
        ("refused:",),
    ),
    "24 an instruction in a condition": (
        lambda: sent(with_task("t").replace("=1", "=1<?x y?>")),
        ("refused:",),
    ),
    "24 swapped prefixes": (
        lambda: sent(
            plain()
            .replace("bpmn:", "zeebe:")
            .replace("xmlns:bpmn", "xmlns:q")
            .replace("xmlns:zeebe", "xmlns:r")
        ),
        ("refused:",),
    ),
    "24 one attribute by two prefixes": (
        lambda: sent(plain('<bpmn:task xmlns:p="u" xmlns:q="u" p:x="1" q:x="2" id="t"/>')),
        ("refused:xml.syntax",),
    ),
    "24 a drawing in CDATA": (lambda: sent(f"<![CDATA[{plain()}]]>"), ("refused:xml.syntax",)),
    "26 a page": (lambda: sent("<html><script>alert(1)</script></html>"), ("refused:package.process",)),
    "26 a document": (lambda: sent(b"%PDF-1.7\n" + plain().encode()), ("refused:xml.syntax",)),
    "26 an archive": (lambda: sent(b"PK\x03\x04" + plain().encode()), ("refused:xml.syntax",)),
    "26 a drawing with a tail": (lambda: sent(plain().encode() + b"PK\x05\x06"), ("refused:xml.syntax",)),
    "26 nothing": (lambda: sent(b""), ("refused:xml.syntax",)),
    "26 NUL": (lambda: sent(plain().replace("id=", "\0id=", 1)), ("refused:xml.syntax",)),
    "27 a million rules": (
        lambda: decision(model(table([["1", '"a"']] * 10) + "<!-- -->" + "<rule/>" * 1_000_000)),
        ("refused:package.size",),
    ),
    "27 as many rules as may be": (
        lambda: decision(model(table([[str(n), '"a"'] for n in range(2_400)]))),
        ("completed:x=", "refused:"),
    ),
    "28 decisions that need each other": (
        lambda: decision(model(_needing("d", "e") + _needing("e", "d"))),
        ("refused:",),
    ),
    "28 a decision that needs itself": (lambda: decision(model(_needing("d", "d"))), ("refused:",)),
    "29 Python in a cell": (
        lambda: decision(model(table([["__import__('os').system('id')", '"a"']]))),
        ("refused:",),
    ),
    "29 Python in a result": (
        lambda: decision(model(table([["1", "open('/etc/passwd').read()"]]))),
        ("refused:",),
    ),
}


def rows() -> Iterator[Row]:
    for name, (attack, expect) in XML.items():
        yield Row(id=name, attack=attack, expect=expect, seconds=4)


def _needing(own: str, other: str) -> str:
    body = f"<literalExpression><text>{other} + 1</text></literalExpression>"
    return f'<decision id="{own}" name="{own}">{needs(other, kind="Decision")}{body}</decision>'
