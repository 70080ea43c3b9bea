"""Tells a subscriber's server of one event: a signed POST as Standard Webhooks has it, of a CloudEvent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from web.outgoing.addresses import connected
from web.settings import Network
from workflows.work.postman import Dispatch, Receipt

SILENCE = 10.0
"""Seconds without a byte after which we give up."""

LONGEST = 20.0
"""Seconds after which we give up in any case."""

MOST_READ = 2_000
GONE = 410
TYPE = "application/cloudevents+json; charset=utf-8"


def secret_of(key: str, subscription_id: str) -> str:
    """What a subscriber checks our signatures with. It is made from the installation's key, so that neither
    the database nor a backup holds it."""
    made = hmac.digest(key.encode(), f"webhook/{subscription_id}".encode(), hashlib.sha256)
    return "whsec_" + base64.b64encode(made).decode()


def signature(secret: str, message_id: str, at: int, body: bytes) -> str:
    """The header `webhook-signature`: HMAC-SHA256 over id, moment and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.digest(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(made).decode()


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Sends webhooks. `url_of` answers the address of a subscription, None for one that has ended."""

    url_of: Callable[[str], str | None]
    key: str = field(repr=False)
    source: str
    networks: tuple[Network, ...]
    clock: Callable[[], datetime]

    def __call__(self, dispatch: Dispatch) -> Receipt:
        """Anything but 2xx is a failure: redirects are not followed, and 410 means never again."""
        url = self.url_of(dispatch.outlet)
        if url is None:
            return Receipt(is_sent=False, status="ended", answer="the webhook has ended", is_hopeless=True)
        parts = urlsplit(url)
        try:
            with _open(parts, self.networks) as connection:
                connection.request("POST", _path(parts), *self._message(dispatch))
                answer = connection.getresponse()
                text = answer.read(MOST_READ).decode("utf-8", "replace")
        except TimeoutError:
            return Receipt(is_sent=False, status="timeout", answer=f"no answer within {SILENCE:.0f} s")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Receipt(is_sent=False, status=type(error).__name__, answer=str(error))
        is_sent = 200 <= answer.status < 300
        return Receipt(
            is_sent=is_sent, status=str(answer.status), answer=text, is_hopeless=answer.status == GONE
        )

    def _message(self, dispatch: Dispatch) -> tuple[bytes, dict[str, str]]:
        """Body and headers; the body is the same at every attempt."""
        event = {"source": self.source, **dispatch.content}
        body = json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        at, name = int(self.clock().timestamp()), str(event["id"])
        return body, {
            "Content-Type": TYPE,
            "User-Agent": "tidu",
            "Idempotency-Key": dispatch.key,
            "webhook-id": name,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(secret_of(self.key, dispatch.outlet), name, at, body),
        }


@contextmanager
def _open(parts: SplitResult, networks: tuple[Network, ...]) -> Iterator[http.client.HTTPConnection]:
    """Connected, and cut off when it lasts too long: a server that says a byte now and then holds nobody."""
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    sock = connected(host, port, networks=networks, timeout=SILENCE)
    if is_secure:
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
    connection = http.client.HTTPConnection(host, port)
    connection.default_port = 443 if is_secure else 80
    connection.auto_open = 0  # never by the name again
    connection.sock = sock
    cut = Timer(LONGEST, _cut_off, (sock,))
    cut.daemon = True
    cut.start()
    try:
        yield connection
    finally:
        cut.cancel()
        connection.close()


def _cut_off(sock: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        sock.shutdown(socket.SHUT_RDWR)


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
