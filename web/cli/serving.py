"""`tidu serve` and `tidu worker`: the two programs that run for ever."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask

from engine.errors import Rejected
from web.admission import threads_for
from web.app import create_app
from web.cli import house, logs
from web.cli.voice import Voice
from web.context import Rooms
from web.outgoing.senders import senders
from web.scheduler import work_until_stopped
from web.settings import Settings, read_settings
from workflows.work.postman import Postman
from workflows.work.worker import Worker

LOG = logging.getLogger("tidu.worker")
LANES = 4
"""Timers and jobs that a worker does at once, so that they share commits."""


def serve(arguments: argparse.Namespace, voice: Voice) -> int:
    """Answer requests until stopped: gunicorn where it runs, waitress elsewhere."""
    house.open_house().database.dispose()  # refuse early, in words, if the database is not ready
    settings = _settings(arguments)
    voice.tell(f"tidu: serving {settings.base_url}")
    if platform.system() == "Windows":
        _serve_with_waitress(settings)
    else:
        _serve_with_gunicorn(settings, arguments.workers)
    return 0


def worker(arguments: argparse.Namespace, voice: Voice) -> int:
    """Tick until stopped. Any number of workers may run."""
    rooms = house.open_house()
    voice.tell(f"tidu: working every {rooms.settings.tick_seconds} s")
    work_until_stopped(_rounds(rooms), every=rooms.settings.tick_seconds)
    return 0


def _rounds(rooms: Rooms) -> Mapping[str, Callable[[], object]]:
    """What a worker does again and again, each in a thread of its own."""
    name = f"{platform.node()}:{os.getpid()}"
    keep = timedelta(days=rooms.settings.keep_deliveries_days)
    working = Worker(rooms.database, rooms.commands, clock=rooms.clock, name=name, keep=keep, lanes=LANES)
    carrying = Postman(rooms.database, senders(rooms), clock=rooms.clock, name=name)
    return {"worker": working.tick, "postman": carrying.tick, "checkpoints": _signing(rooms)}


def _signing(rooms: Rooms) -> Callable[[], None]:
    """Signs a checkpoint when one is due. After a refusal it waits as long as for the next one."""
    every, again = timedelta(minutes=rooms.settings.checkpoint_minutes), datetime.min.replace(tzinfo=UTC)

    def sign() -> None:
        nonlocal again
        if rooms.clock() < again:
            return
        try:
            rooms.checkpoints.take_if_due(every)
        except Rejected as error:  # somebody must look; the work goes on
            LOG.error("%s: %s", error.code, error)
            again = rooms.clock() + every

    return sign


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = read_settings()
    changed: dict[str, Any] = {
        name: value for name in ("host", "port") if (value := getattr(arguments, name)) is not None
    }
    if changed and settings.base_url == f"http://{settings.host}:{settings.port}":
        host, port = changed.get("host", settings.host), changed.get("port", settings.port)
        changed["base_url"] = f"http://{host}:{port}"
    return dataclasses.replace(settings, **changed)


def _serve_with_waitress(settings: Settings) -> None:
    import waitress

    waitress.serve(
        create_app(settings), host=settings.host, port=settings.port, threads=threads_for(settings)
    )


def _serve_with_gunicorn(settings: Settings, workers: int) -> None:
    from gunicorn.app.base import BaseApplication

    from web.cli.patience import PatientWorker, most_connections

    class Server(BaseApplication):  # gunicorn's own way to be started from a program
        def load_config(self) -> None:
            chosen = {
                "bind": f"{settings.host}:{settings.port}",
                "workers": workers,
                "threads": threads_for(settings),
                "worker_class": PatientWorker,
                "worker_connections": most_connections(threads_for(settings)),
                "proc_name": "tidu",
                "loglevel": "warning",
                "graceful_timeout": 10,
                "control_socket_disable": True,
                "preload_app": True,  # a process that dies is replaced by a fork of one that is ready
                "post_fork": lambda _arbiter, process: _forget_connections(process.app.wsgi()),
            }
            for name, value in chosen.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            logs.configure(settings.log)
            return create_app(settings)

    Server().run()


def _forget_connections(app: Flask) -> None:
    """Two processes on one connection would read each other's answers."""
    app.extensions["tidu"].database.dispose(close=False)
