"""The ceiling of HTTP: the floor's completion behind bare Flask, without sessions, rules or forms.

`gunicorn --preload "bench.bare:app('URL')"`: made once before the workers are forked, which then open
connections of their own.
"""

from __future__ import annotations

from flask import Flask, Response, jsonify, request

from bench.subjects.floor import Floor

STEP = "submit"


def app(url: str) -> Flask:
    """One route: complete the first task of a case."""
    floor = Floor(url, threads=8)
    floor.release()
    made = Flask(__name__)

    @made.post("/complete/<case>")
    def complete(case: str) -> Response:
        floor.complete(case, floor.find(case, STEP), STEP, request.get_json()["values"], 0)
        return jsonify(state="COMPLETED")

    @made.get("/readyz")
    def ready() -> Response:
        return jsonify(ready=True)

    return made
