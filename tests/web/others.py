"""Servers of others on this host: one that is told by webhooks, one that takes mail."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


@dataclass(frozen=True)
class Call:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Hook(ThreadingHTTPServer):
    """Answers what `answers` says for a path, else 204. `heard` is called before; `drips` lets it say a sign
    now and then and nothing more."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Heard)
        self.calls: list[Call] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.stopped = threading.Event()
        self.drips = False
        self.heard: Callable[[Call], None] = lambda call: None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is none of our worries."""

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Heard(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = cast(Hook, self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        hook.calls.append(Call(self.path, dict(self.headers.items()), body))
        hook.heard(hook.calls[-1])
        while hook.drips and not hook.stopped.wait(0.2):
            self.wfile.write(b"H")
        status, headers, text = hook.answers.get(self.path, (204, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Post:
    """What a mail server took, and how it answers the receiver's name."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    answer: bytes = b"250 ok"


class _Speaks(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        post: Post = self.server.post  # type: ignore[attr-defined]
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                post.receivers.append(line.decode().strip())
                self.wfile.write(post.answer + b"\r\n")
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                told = b"".join(iter(self.rfile.readline, b".\r\n"))
                post.mails.append(BytesParser(policy=default).parsebytes(told))
                self.wfile.write(b"250 queued as 17\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


@contextmanager
def listening(server: socketserver.BaseServer) -> Iterator[socketserver.BaseServer]:
    """Served from a thread, until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hook() -> Iterator[Hook]:
    """A server that is told by webhooks."""
    server = Hook()
    with listening(server):
        try:
            yield server
        finally:
            server.stopped.set()


@contextmanager
def post() -> Iterator[Post]:
    """A server that takes mail."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Speaks)
    server.daemon_threads = True
    server.post = Post(port=server.server_address[1])  # type: ignore[attr-defined]
    with listening(server):
        yield server.post  # type: ignore[attr-defined]
