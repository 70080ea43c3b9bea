"""Mails a notice: the case's number and a link, in both languages, and nothing that the case holds."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import quote, unquote, urlsplit

from workflows.work.postman import Dispatch, Receipt

SCHEMES = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
"""How a mail server is spoken to, and its usual port; by the first one nothing is encrypted."""

SILENCE = 10.0
SUBJECTS = {
    "decided": ("有了办理结果", "There is a decision"),
    "result": ("有了办理结果", "There is a decision"),
    "late": ("任务已逾期", "A task is overdue"),
    "review_overdue": ("审核已逾期", "A review is overdue"),
    "consultation_reminder": ("请答复征求意见", "A consultation waits for your answer"),
    "objection_answer": ("异议已有答复", "An objection was answered"),
    "renewal_due": ("称号将到期，请申请续期", "A title is about to end, please ask for its renewal"),
    "annual_report_reminder": ("请报送动态管理表", "The yearly form is due"),
    "change_due": ("请办理重大变更", "Please report a significant change"),
    "re_evaluation_notice": ("将开展复核", "A title is to be re-evaluated"),
    "removal_notice": ("拟移出名单，可陈述申辩", "A removal is intended; you may state your case"),
    "removed": ("已移出名单", "A unit was removed from the list"),
    "escalation": ("事项待确认，请督办", "A confirmation is overdue"),
    "water_efficiency": ("可参加国家水效行动", "National water-efficiency schemes are open to you"),
}
"""By the template that the drawing names; others are told in general words."""

OTHERWISE = ("有新的通知", "There is news")


@dataclass(frozen=True, kw_only=True)
class Mails:
    """Sends mails through one server. `url` is as in `TIDU_SMTP_URL`."""

    url: str = field(repr=False)
    sender: str
    base_url: str

    def __call__(self, dispatch: Dispatch) -> Receipt:
        """A server that refuses for good (5xx) is not asked again; what it refuses for now is."""
        try:
            message = self.message(dispatch)
            with self._connected() as server:
                return _hand_over(server, self.sender, dispatch.address, message)
        except smtplib.SMTPResponseException as error:
            return _receipt(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            hopeless = isinstance(error, ValueError)  # an address that is none
            return Receipt(
                is_sent=False, status=type(error).__name__, answer=str(error), is_hopeless=hopeless
            )

    def message(self, dispatch: Dispatch) -> EmailMessage:
        """The mail. Its Message-ID is the same at every attempt, so that a receiver can tell it is one.

        Raises ValueError for an address with a line break.
        """
        zh, en = SUBJECTS.get(str(dispatch.content.get("template")), OTHERWISE)
        link = f"{self.base_url}/case/{dispatch.case_id}"
        mail = EmailMessage()
        mail["From"] = self.sender
        mail["To"] = dispatch.address
        mail["Subject"] = f"【梯度】{dispatch.case_id} {zh} · {en}"
        mail["Date"] = format_datetime(datetime.fromisoformat(str(dispatch.content["time"])))
        domain = urlsplit(self.base_url).hostname or "tidu"
        mail["Message-ID"] = f"<{quote(dispatch.key, safe='.-')}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(
            f"案件 {dispatch.case_id} {zh}。请登录查看：\n{link}\n\n"
            f"Case {dispatch.case_id}: {en.lower()}. Please sign in to read it:\n{link}\n"
        )
        return mail

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or SCHEMES[parts.scheme]
        opened: smtplib.SMTP
        if parts.scheme == "smtps":
            opened = smtplib.SMTP_SSL(host, port, timeout=SILENCE, context=ssl.create_default_context())
        else:
            opened = smtplib.SMTP(host, port, timeout=SILENCE)
        with opened as server:
            if parts.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            yield server


def _hand_over(server: smtplib.SMTP, sender: str, address: str, message: EmailMessage) -> Receipt:
    server.ehlo_or_helo_if_needed()
    steps = (
        lambda: server.mail(parseaddr(sender)[1]),
        lambda: server.rcpt(address),
        lambda: server.data(message.as_bytes(policy=message.policy.clone(linesep="\r\n"))),
    )
    receipt = Receipt(is_sent=False, status="")
    for step in steps:
        receipt = _receipt(*step())
        if not receipt.is_sent:
            server.rset()
            break
    return receipt


def _receipt(code: int, answer: bytes | str) -> Receipt:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return Receipt(is_sent=200 <= code < 300, status=str(code), answer=text, is_hopeless=500 <= code < 600)
