"""The only door through which XML text becomes a tree: hardened, bounded, silent on the network."""

from __future__ import annotations

from lxml import etree

from engine.errors import BadDefinition, Problem

MAX_BYTES = 2_000_000
MAX_NODES = 20_000
MAX_ATTRIBUTES = 100_000
MAX_DEPTH = 100
ENCODINGS = frozenset({"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII", "ASCII", "ISO-8859-1"})


def parse_xml(data: bytes | str, *, what: str = "document") -> etree._Element:
    """The root element of `data`, without comments and processing instructions.

    Entities are never expanded, nothing is fetched, a DOCTYPE is refused, and so is a text over 2 MB,
    20,000 elements or 100 levels.  `what` names the text in the message.  Raises BadDefinition whose
    only Problem has an empty element and one of the rules xml.size, xml.encoding, xml.syntax,
    xml.doctype, xml.nodes, xml.attributes, xml.depth.
    """
    content = _bytes_of(data, what)
    if len(content) > MAX_BYTES:
        raise _refusal("xml.size", f"{what} has {len(content)} bytes, at most {MAX_BYTES} are read", what)
    try:
        root = etree.fromstring(content, _parser(known_as_utf8=isinstance(data, str)))
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise _refusal("xml.syntax", f"{what} is not well-formed XML: {error}", what) from None
    _check_document(root, what)
    _check_size(root, what)
    return root


def _bytes_of(data: bytes | str, what: str) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return data.encode("utf-8")
    except UnicodeEncodeError:
        raise _refusal("xml.encoding", f"{what} contains half a character", what) from None


def _parser(*, known_as_utf8: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8" if known_as_utf8 else None,
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _check_document(root: etree._Element, what: str) -> None:
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None or info.doctype:
        raise _refusal("xml.doctype", f"{what} has a DOCTYPE, none is allowed", what)
    if (info.encoding or "UTF-8").upper() not in ENCODINGS:
        raise _refusal("xml.encoding", f"{what} is written in {info.encoding}, expected UTF-8", what)


def _check_size(root: etree._Element, what: str) -> None:
    nodes = attributes = 0
    level: list[etree._Element] = [root]
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        attributes += sum(len(element.attrib) for element in level)
        level = [child for element in level for child in element]
        if not level:
            break
    else:
        raise _refusal("xml.depth", f"{what} is nested more than {MAX_DEPTH} levels deep", what)
    if nodes > MAX_NODES:
        raise _refusal("xml.nodes", f"{what} has {nodes} elements, at most {MAX_NODES} are read", what)
    if attributes > MAX_ATTRIBUTES:
        raise _refusal("xml.attributes", f"{what} has {attributes} attributes", what)


ZH = {
    "xml.size": "文件过大",
    "xml.encoding": "文件编码不受支持，请使用 UTF-8",
    "xml.syntax": "不是格式良好的 XML",
    "xml.doctype": "不允许使用 DOCTYPE",
    "xml.nodes": "元素过多",
    "xml.attributes": "属性过多",
    "xml.depth": "嵌套过深",
}


def _refusal(rule: str, message: str, what: str) -> BadDefinition:
    problem = Problem(
        element="", rule=rule, severity="error", message=message, message_zh=f"{what}：{ZH[rule]}"
    )
    return BadDefinition((problem,))
