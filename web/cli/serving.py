"""`tidu serve` and `tidu worker`: the two programs that run for ever."""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from web.app import create_app
from web.cli import house, logs
from web.cli.voice import Voice
from web.outgoing.senders import senders
from web.scheduler import work_until_stopped
from web.settings import Settings, read_settings
from workflows.postman import Postman
from workflows.worker import Worker

THREADS = 8
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
    name = f"{platform.node()}:{os.getpid()}"
    keep = timedelta(days=rooms.settings.keep_deliveries_days)
    working = Worker(rooms.database, rooms.commands, clock=rooms.clock, name=name, keep=keep, lanes=LANES)
    carrying = Postman(rooms.database, senders(rooms), clock=rooms.clock, name=name)
    voice.tell(f"tidu: working every {rooms.settings.tick_seconds} s")
    ticks: dict[str, Callable[[], object]] = {"worker": working.tick, "postman": carrying.tick}
    work_until_stopped(ticks, every=rooms.settings.tick_seconds)
    return 0


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

    waitress.serve(create_app(settings), host=settings.host, port=settings.port, threads=THREADS)


def _serve_with_gunicorn(settings: Settings, workers: int) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # gunicorn's own way to be started from a program
        def load_config(self) -> None:
            chosen = {
                "bind": f"{settings.host}:{settings.port}",
                "workers": workers,
                "threads": THREADS,
                "worker_class": "gthread",
                "proc_name": "tidu",
                "loglevel": "warning",
                "graceful_timeout": 10,
                "control_socket_disable": True,
            }
            for name, value in chosen.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            logs.configure(settings.log)
            return create_app(settings)

    Server().run()
