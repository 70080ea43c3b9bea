"""The printable certificate of a title: one page, its own font inside, the same bytes for the same facts."""

from __future__ import annotations

import io
from datetime import date
from functools import cache
from pathlib import Path

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from workflows.register.directory import Entry, Held
from workflows.register.tracks import tracks

FONT_FILE = Path(__file__).parent / "static" / "dist" / "certificate.ttf"
WIDTH, HEIGHT = landscape(A4)
GREEN, INK, SOFT = HexColor("#0b6b4f"), HexColor("#1d2a26"), HexColor("#4d5b56")
QR = 92
MIDDLE = WIDTH / 2


def drawn(entry: Entry, title: Held, *, address: str) -> bytes:
    """The certificate as PDF; `address` is the public page that tells whether the title still stands."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1, lang="zh-CN")
    called = _called(title)
    canvas.setTitle(f"{entry.name} {called[0]}")
    canvas.setSubject(title.designation_id)
    canvas.setAuthor(title.body)
    canvas.setCreator("Tidu")
    _frame(canvas)
    _words(canvas, entry, title, called)
    _facts(canvas, entry, title)
    _code(canvas, address)
    canvas.save()
    return file.getvalue()


def _called(title: Held) -> tuple[str, str]:
    known = tracks().get(title.track)
    if known is None or title.level not in known.levels:
        return title.title, title.title_en
    return known.title(title.level), known.title(title.level, "en")


def _frame(canvas: Canvas) -> None:
    canvas.setStrokeColor(GREEN)
    for inset, width in ((26, 3), (33, 0.8)):
        canvas.setLineWidth(width)
        canvas.rect(inset, inset, WIDTH - 2 * inset, HEIGHT - 2 * inset)


def _words(canvas: Canvas, entry: Entry, title: Held, called: tuple[str, str]) -> None:
    _centred(canvas, "绿色制造单位证书", 470, size=32, colour=GREEN)
    _centred(canvas, "Certificate of a green manufacturing unit", 444, size=12, colour=SOFT)
    _centred(canvas, entry.name, 380, size=28)
    if entry.name_en and entry.name_en != entry.name:
        _centred(canvas, entry.name_en, 356, size=13, colour=SOFT)
    _centred(canvas, "经评审、公示，认定为", 316, size=15)
    _centred(canvas, called[0], 272, size=30, colour=GREEN)
    _centred(canvas, called[1], 248, size=13, colour=SOFT)


def _facts(canvas: Canvas, entry: Entry, title: Held) -> None:
    rows = (
        ("统一社会信用代码 USCC", entry.uscc),
        ("文号 Document", title.document or "—"),
        ("认定机关 Decided by", title.body or entry.authority_name),
        ("认定日期 Date", _day(title.decided_on)),
        ("有效期至 Valid until", _day(title.valid_until) if title.valid_until else "长期 open-ended"),
        ("编号 Number", title.designation_id),
    )
    for place, (label, value) in enumerate(rows):
        height = 196 - 22 * place
        _text(canvas, label, 84, height, size=10, colour=SOFT)
        _text(canvas, value, 216, height, size=11)


def _code(canvas: Canvas, address: str) -> None:
    widget = QrCodeWidget(address, barLevel="M")
    widget.barWidth = widget.barHeight = QR
    drawing = Drawing(QR, QR)
    drawing.add(widget)
    left = WIDTH - 84 - QR
    renderPDF.draw(drawing, canvas, left, 104)
    for line, text in enumerate(("扫码查询当前是否有效", "Scan to see whether it stands")):
        _centred(canvas, text, 92 - 13 * line, size=9, colour=SOFT, middle=left + QR / 2)
    _centred(canvas, "以公开名录的记载为准 The public register is what counts", 48, size=9, colour=SOFT)


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日 ({day.isoformat()})"


def _centred(
    canvas: Canvas,
    text: str,
    height: float,
    *,
    size: float,
    colour: HexColor = INK,
    middle: float = MIDDLE,
) -> None:
    """A line in the middle, smaller if it is too long for the page."""
    size = _fitting(text, size, WIDTH - 120)
    left = middle - pdfmetrics.stringWidth(text, _font(), size) / 2
    _text(canvas, text, left, height, size=size, colour=colour)


def _text(
    canvas: Canvas, text: str, left: float, height: float, *, size: float, colour: HexColor = INK
) -> None:
    canvas.setFillColor(colour)
    canvas.setFont(_font(), _fitting(text, size, WIDTH - left - 40))
    canvas.drawString(left, height, text)


def _fitting(text: str, size: float, width: float) -> float:
    return min(size, size * width / max(pdfmetrics.stringWidth(text, _font(), size), 1))


@cache
def _font() -> str:
    """The name of the font, read once in the life of a process."""
    pdfmetrics.registerFont(TTFont("certificate", str(FONT_FILE)))
    return "certificate"
