"""What goes over the wire: signed webhooks that reach nothing inside, and mails that say where to look."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.web.others import Hook, listening
from tests.web.others import hook as served_hook
from tests.web.others import post as served_post
from web.outgoing import webhooks
from web.outgoing.addresses import may_reach
from web.outgoing.mail import SUBJECTS, Mails
from web.outgoing.senders import senders
from web.outgoing.webhooks import Webhooks, secret_of, signature
from web.settings import CHECKOUT, read_settings
from workflows.work.postman import Dispatch

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
CERTIFICATE = Path(__file__).with_name("localhost.pem")
KEY = "only for the tests of this house, 32 and more"
EVENT = {"specversion": "1.0", "id": "SR-2026-000001/7", "type": "bpm.task.claimed.v1", "data": {"n": "梯度"}}


def dispatch(channel="webhook", **more):
    told = {"content": EVENT, "outlet": "wh1", "address": "", "number": "7.webhook.wh1", "attempts": 0}
    return Dispatch(case_id="SR-2026-000001", channel=channel, **{**told, **more})


@pytest.fixture
def hook():
    with served_hook() as server:
        yield server


@pytest.fixture
def post():
    with served_post() as server:
        yield server


@pytest.fixture
def send(hook):
    """Sends a webhook to a path of the server, or to another address."""

    def to(path="/hook", networks=HERE, **more):
        url = path if "://" in path else hook.url(path)
        sending = Webhooks(
            url_of=lambda _: url, key=KEY, source="https://tidu", networks=networks, clock=lambda: NOW
        )
        return sending(dispatch(**more))

    return to


# --- webhooks ------------------------------------------------------------------------------------------


def test_a_webhook_is_a_cloud_event_signed_as_standard_webhooks_has_it(hook, send):
    receipt = send()

    (call,) = hook.calls
    assert (receipt.is_sent, receipt.status) == (True, "204")
    assert call.headers["Content-Type"].startswith("application/cloudevents+json")
    assert json.loads(call.body) == {**EVENT, "source": "https://tidu"}
    assert call.headers["webhook-id"] == EVENT["id"]
    assert call.headers["Idempotency-Key"] == "SR-2026-000001.7.webhook.wh1"
    at = call.headers["webhook-timestamp"]
    secret = base64.b64decode(secret_of(KEY, "wh1").removeprefix("whsec_"))
    signed = hmac.digest(secret, f"{EVENT['id']}.{at}.".encode() + call.body, hashlib.sha256)
    assert call.headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()
    assert int(at) == NOW.timestamp()


def test_the_signature_is_that_of_the_published_example():
    """The example of the Standard Webhooks specification."""
    body = b'{"test": 2432232314}'
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_subscription_has_a_secret_of_its_own():
    assert len({secret_of(KEY, "wh1"), secret_of(KEY, "wh2"), secret_of(KEY + "!", "wh1")}) == 3


def test_the_body_is_the_same_at_every_attempt(hook, send):
    send()
    send(attempts=3)

    first, again = hook.calls
    assert first.body == again.body


def test_a_redirect_is_not_followed(hook, send):
    hook.answers["/moved"] = (302, {"Location": hook.url("/inside")}, b"")

    receipt = send("/moved")

    assert (receipt.is_sent, receipt.status, receipt.is_hopeless) == (False, "302", False)
    assert [call.path for call in hook.calls] == ["/moved"]


@pytest.mark.parametrize(("status", "hopeless"), [(400, False), (404, False), (410, True), (500, False)])
def test_what_is_no_success_is_a_failure_and_only_gone_is_one_for_good(hook, send, status, hopeless):
    hook.answers["/hook"] = (status, {}, b"why")

    receipt = send()

    assert (receipt.is_sent, receipt.status, receipt.answer) == (False, str(status), "why")
    assert receipt.is_hopeless is hopeless


def test_of_a_long_answer_only_the_beginning_is_read(hook, send):
    hook.answers["/hook"] = (500, {}, b"x" * 10_000_000)

    assert len(send().answer) == webhooks.MOST_READ


def test_a_server_that_says_a_sign_now_and_then_holds_nobody(hook, send, monkeypatch):
    hook.drips = True
    monkeypatch.setattr(webhooks, "LONGEST", 0.5)

    receipt = send()

    assert not receipt.is_sent


def test_a_server_that_says_nothing_is_left(send, monkeypatch):
    monkeypatch.setattr(webhooks, "SILENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        receipt = send(f"http://127.0.0.1:{silent.getsockname()[1]}/")

    assert (receipt.is_sent, receipt.status) == (False, "timeout")


def test_who_is_not_there_is_a_failed_attempt(send):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert send(f"http://127.0.0.1:{port}/").status == "ConnectionRefusedError"
    assert not send("http://no-such-host.invalid/").is_sent
    assert not send("https://127.0.0.1:1/").is_sent


def test_a_webhook_that_has_ended_is_not_told():
    gone = Webhooks(url_of=lambda _: None, key=KEY, source="", networks=HERE, clock=lambda: NOW)

    assert gone(dispatch()).is_hopeless


@pytest.fixture
def secure():
    """A server that speaks TLS as localhost, with a certificate of its own making."""
    server, speaking = Hook(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    speaking.load_cert_chain(CERTIFICATE)
    server.socket = speaking.wrap_socket(server.socket, server_side=True)
    with listening(server):
        yield server


def test_over_tls_the_server_is_who_was_named_and_known(secure, send, monkeypatch):
    url = f"https://localhost:{secure.server_port}/"
    unknown = send(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    known, misnamed = send(url), send(f"https://127.0.0.1:{secure.server_port}/")

    assert (unknown.status, misnamed.status) == ("SSLCertVerificationError",) * 2
    assert known.is_sent
    assert len(secure.calls) == 1


INSIDE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::",
]


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_reached_unless_the_settings_name_it(address):
    assert not may_reach(address, ())


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_what_is_public_is_reached(address):
    assert may_reach(address, ())


def test_a_network_that_the_settings_name_is_reached_and_its_neighbour_is_not():
    named = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd00:1::/32")]

    assert may_reach("10.1.2.3", named)
    assert may_reach("fd00:1::5", named)
    assert not may_reach("10.2.0.1", named)
    assert not may_reach("::1", named)


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_however_this_host_is_spelt_it_is_not_told(hook, send, name):
    receipt = send(f"http://{name}:{hook.server_port}/", networks=())

    assert not receipt.is_sent
    assert hook.calls == []


# --- mail ----------------------------------------------------------------------------------------------

MAIL = {
    "channel": "mail",
    "outlet": "mail",
    "number": "9.mail.lz.leader",
    "address": "leader@example.org",
    "content": {"template": "late", "time": "2026-03-05T01:00:00.000000Z"},
}


def mails(port, sender="梯度 <tidu@example.org>"):
    return Mails(url=f"smtp://127.0.0.1:{port}", sender=sender, base_url="https://tidu.example.org")


def test_a_mail_names_the_case_and_a_link_in_both_languages(post):
    receipt = mails(post.port)(dispatch(**MAIL))

    (mail,) = post.mails
    assert (receipt.is_sent, receipt.status, receipt.answer) == (True, "250", "queued as 17")
    assert mail["To"] == "leader@example.org"
    assert "SR-2026-000001" in mail["Subject"]
    text = mail.get_content()
    assert "https://tidu.example.org/case/SR-2026-000001" in text
    assert "任务已逾期" in text
    assert "a task is overdue" in text
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_mail_has_the_same_message_id_at_every_attempt(post):
    mails(post.port)(dispatch(**MAIL))
    mails(post.port)(dispatch(**{**MAIL, "attempts": 2}))

    first, again = (mail["Message-ID"] for mail in post.mails)
    assert first == again == "<SR-2026-000001.9.mail.lz.leader@tidu.example.org>"


@pytest.mark.parametrize(
    ("answer", "hopeless"), [(b"550 no such user", True), (b"451 come back later", False)]
)
def test_a_receiver_that_is_refused_for_good_is_not_tried_again(post, answer, hopeless):
    post.answer = answer

    receipt = mails(post.port)(dispatch(**MAIL))

    assert (receipt.is_sent, receipt.status) == (False, answer[:3].decode())
    assert receipt.is_hopeless is hopeless
    assert post.mails == []


@pytest.mark.parametrize("address", ["a@example.org\r\nBcc: b@example.org", "a@example.org\nDATA"])
def test_an_address_smuggles_nothing_into_the_mail(post, address):
    receipt = mails(post.port)(dispatch(**{**MAIL, "address": address}))

    assert receipt.is_hopeless
    assert post.receivers == []


def test_a_mail_server_that_is_away_is_a_failed_attempt(post):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    receipt = mails(port)(dispatch(**MAIL))

    assert (receipt.is_sent, receipt.is_hopeless, receipt.status) == (False, False, "ConnectionRefusedError")


def test_every_template_of_the_shipped_processes_has_words_of_its_own():
    named = set()
    for drawing in (CHECKOUT / "bpmn").glob("*/process.bpmn"):
        text = drawing.read_text(encoding="utf-8")
        named |= set(re.findall(r"""source='="([a-z_]+)"' target="template\"""", text))

    assert named
    assert named - SUBJECTS.keys() == set()


# --- settings ------------------------------------------------------------------------------------------


def test_mail_leaves_only_where_the_settings_say_so(app):
    assert set(senders(app.extensions["tidu"])) == {"webhook"}


@pytest.mark.parametrize(
    "said",
    [
        {"TIDU_SMTP_URL": "http://mail", "TIDU_MAIL_FROM": "a@b"},
        {"TIDU_SMTP_URL": "smtps://", "TIDU_MAIL_FROM": "a@b"},
        {"TIDU_SMTP_URL": "smtp://user:word@mail", "TIDU_MAIL_FROM": "a@b"},
        {"TIDU_SMTP_URL": "smtps://mail"},
        {"TIDU_WEBHOOK_NETWORKS": "10.0.0.0/99"},
        {"TIDU_KEEP_DELIVERIES_DAYS": "-1"},
    ],
)
def test_settings_that_would_leak_or_mean_nothing_are_refused(tmp_path, said):
    with pytest.raises(SystemExit):
        read_settings({"TIDU_DATA_DIR": str(tmp_path), **said})


def test_the_log_is_kept_half_a_year_at_least(tmp_path):
    said = {"TIDU_DATA_DIR": str(tmp_path), "TIDU_KEEP_DELIVERIES_DAYS": "7"}

    assert read_settings(said).keep_deliveries_days == 183
