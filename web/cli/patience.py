"""A gunicorn worker that lends its threads to requests that arrive, not to connections that dawdle."""

from __future__ import annotations

import errno
import resource
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import util
from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

FIRST_BYTE_SECONDS = 15.0
"""So long a connection may stand before it says anything; it costs no thread."""

CROWDED_SECONDS = 1.0
"""And so long where every place is taken, or the process is told to stop."""

HEAD_SECONDS = 5.0
"""So long one may take over a request, and a second more for every so many bytes that have come."""

BYTES_A_SECOND = 8 * 1024
SEND_SECONDS = 30
"""So long an answer may find nobody who takes it, until the connection is given up."""

MOST_CONNECTIONS = 1000
OWN_FILES = 40
"""Files a server process keeps open for itself: the database, its log, its children, Python's own."""


def most_connections(threads: int) -> int:
    """How many connections a server process may hold, so that it never runs out of files.

    Raises SystemExit where the limit of open files leaves none.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    left = MOST_CONNECTIONS if limit == resource.RLIM_INFINITY else limit - OWN_FILES
    if left < 1:
        raise SystemExit(f"expected at least {OWN_FILES + 1} open files to be allowed, found {limit}")
    return min(left, MOST_CONNECTIONS)


class Unhurried(SocketUnreader):
    """Reads one request after the other; who dawdles over one is taken for gone."""

    def begin(self) -> None:
        """A request begins: its sender's time is whole again."""
        self._left = HEAD_SECONDS
        self._is_under_way = False

    def go_on(self) -> None:
        """Its head has come. From now on an end is no end: a body that ends early is not a shorter body."""
        self._is_under_way = True

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return self._left <= 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What has come; nothing when the time is over, as when the sender has hung up.

        Raises ConnectionResetError when that happens in the middle of a request.
        """
        data = b"" if self.is_late else self._wait(size_hint)
        if not data and self._is_under_way:
            raise ConnectionResetError(errno.ECONNRESET, "the request ended early")
        return data

    def _wait(self, size_hint: int | None) -> bytes:
        began = time.monotonic()
        self.sock.settimeout(self._left)
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError:
            data = b""
        finally:
            self.sock.settimeout(None)
        self._left += len(data) / BYTES_A_SECOND - (time.monotonic() - began)
        return data

    """Threads begin as they are needed; where the system gives no more, those there are do the work."""


class Crew(ThreadPoolExecutor):
    """Threads begin as they are needed; where the system gives no more, those there are do the work."""

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()
        except RuntimeError:
            if not self._threads:
                raise


class PatientWorker(ThreadWorker):
    """Connections wait for their first byte where they cost no thread, and for their end where they hold up
    nobody else."""

    def enqueue_req(self, conn: Any) -> None:
        """Whatever comes next on this connection is a thread's to read."""
        if conn.initialized or conn.data_ready:
            conn.parser.unreader.begin()
            super().enqueue_req(conn)
            return
        _prepare(conn)
        conn.since = time.monotonic()
        conn.timeout = conn.since + FIRST_BYTE_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def murder_pending(self) -> None:
        """Whoever has said nothing yet makes room, sooner where others wait outside or the house closes."""
        if not self.alive or self.nr_conns >= self.worker_connections:
            for conn in self.pending_conns:
                conn.timeout = min(conn.timeout, conn.since + CROWDED_SECONDS)
        super().murder_pending()

    def get_thread_pool(self) -> Crew:
        """Those who read, work and answer."""
        return Crew(max_workers=self.cfg.threads)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The head of the request is read; its body comes as the application asks for it."""
        conn.parser.unreader.go_on()
        return super().handle_request(req, conn)

    def handle(self, conn: Any) -> Any:
        """Whether the connection goes on. If not, its end is waited for here: gunicorn would wait, up to two
        seconds for each, in the one loop that serves all."""
        goes_on = super().handle(conn)
        if not goes_on and not conn.parser.unreader.is_late:
            util.close_graceful(conn.sock)
        return goes_on


def _prepare(conn: Any) -> None:
    conn.parser = get_parser(conn.cfg, conn.sock, conn.client)
    conn.parser.unreader = Unhurried(conn.sock)
    conn.close = lambda graceful=False: util.close(conn.sock)
    conn.sock.setblocking(False)
    conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
