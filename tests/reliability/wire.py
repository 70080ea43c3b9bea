"""A wire of our own between client and server: it passes on what comes, late, in part or not at all."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tests.reliability.installation import free_port

CHUNK = 64 * 1024
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Opening = Callable[[], Coroutine[Any, Any, Ends]]


@dataclass(eq=False)
class Connection:
    """One connection through the wire: the client's end and the server's."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    asked: int = 0
    answered: int = 0

    def close(self, *, rudely: bool = False) -> None:
        """Hang up at both ends; rudely, the ends are told that the connection is broken (RST)."""
        for end in (self.client, self.server):
            told: socket.socket | None = end.get_extra_info("socket")
            if rudely and told is not None and told.family != socket.AF_UNIX:
                with suppress(OSError):
                    told.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            end.transport.abort() if rudely else end.close()


Manner = Callable[["Wire", Connection, bytes, bool], Coroutine[Any, Any, bytes]]
"""What becomes of some bytes, `True`: from the client; they are passed on as they come back from it."""


async def plainly(wire: Wire, connection: Connection, data: bytes, asking: bool) -> bytes:
    """As if the wire were not there."""
    return data


@dataclass(eq=False)
class Wire:
    """Connections to `port` lead to a server. How they behave can be changed at any moment."""

    opening: Opening
    seed: int = 0
    manner: Manner = plainly
    port: int = field(default_factory=free_port)
    struck: int = 0
    connections: set[Connection] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Wire:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)

    def hang_up(self, *, rudely: bool = False) -> None:
        """End every connection that stands."""

        async def all_of_them() -> None:
            for connection in list(self.connections):
                connection.close(rudely=rudely)

        asyncio.run_coroutine_threadsafe(all_of_them(), self._loop).result(60)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", self.port))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _carry(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            answers, server = await self.opening()
        except OSError:
            client.close()
            return
        connection = Connection(client, server)
        self.connections.add(connection)
        try:
            await asyncio.gather(
                self._pass(connection, reader, server, True), self._pass(connection, answers, client, False)
            )
        except asyncio.CancelledError:
            pass  # the wire is taken down
        finally:
            self.connections.discard(connection)
            connection.close()

    async def _pass(
        self, connection: Connection, source: asyncio.StreamReader, target: asyncio.StreamWriter, asking: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                passed = await self.manner(self, connection, data, asking)
                if passed:
                    target.write(passed)
                    await target.drain()
                if asking:
                    connection.asked += len(data)
                else:
                    connection.answered += len(data)
        connection.close()


def to_port(port: int, **more: Any) -> Wire:
    """A wire to a server of this machine."""
    return Wire(lambda: asyncio.open_connection("127.0.0.1", port), **more)


def to_postgres(url: str, **more: Any) -> tuple[Wire, str]:
    """A wire to a PostgreSQL that listens on a socket in a folder, and the database's address through it."""
    address = sa.make_url(url)
    path = f"{address.query['host']}/.s.PGSQL.{address.port}"
    wire = Wire(lambda: asyncio.open_unix_connection(path), **more)
    through = address.set(host="127.0.0.1", port=wire.port, query={})
    return wire, through.render_as_string(hide_password=False)


# --- manners ----------------------------------------------------------------------------------------------


def late(seconds: float) -> Manner:
    """Everything comes so much later."""

    async def manner(wire: Wire, connection: Connection, data: bytes, asking: bool) -> bytes:
        wire.struck += 1
        await asyncio.sleep(seconds)
        return data

    return manner


def silent(share: float, *, found_out: float = 0) -> Manner:
    """On so many connections nothing arrives any more, and neither end is told: they are half-open. Where a
    system looks after such connections, it finds out after some seconds."""

    async def manner(wire: Wire, connection: Connection, data: bytes, asking: bool) -> bytes:
        if connection in lost or wire.dice.random() < share:
            if connection not in lost:
                wire.struck += 1
                lost.add(connection)
                if found_out:
                    asyncio.get_running_loop().call_later(found_out, lambda: connection.close(rudely=True))
            return b""
        return data

    lost: set[Connection] = set()
    return manner


def broken(share: float) -> Manner:
    """So many pieces find the connection reset."""

    async def manner(wire: Wire, connection: Connection, data: bytes, asking: bool) -> bytes:
        if wire.dice.random() < share:
            wire.struck += 1
            connection.close(rudely=True)
            return b""
        return data

    return manner


def cut(share: float, *, asking: bool, after: int | None = None) -> Manner:
    """So many requests (or answers) end in the middle, or `after` so many bytes; then the wire hangs up."""

    async def manner(wire: Wire, connection: Connection, data: bytes, from_client: bool) -> bytes:
        if from_client is not asking or wire.dice.random() >= share:
            return data
        wire.struck += 1
        target = connection.server if asking else connection.client
        target.write(data[: len(data) // 2 if after is None else after])
        connection.close()
        return b""

    return manner


def in_drops(size: int, pause: float) -> Manner:
    """What a client sends comes a few bytes at a time."""

    async def manner(wire: Wire, connection: Connection, data: bytes, asking: bool) -> bytes:
        if not asking:
            return data
        wire.struck += 1
        for begin in range(0, len(data), size):
            connection.server.write(data[begin : begin + size])
            await asyncio.sleep(pause)
        return b""

    return manner
