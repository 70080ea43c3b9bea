"""What this server process counts and times, for /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

requests_total = Counter(
    "tidu_requests_total", "Requests answered.", ["endpoint", "method", "status"], registry=registry
)
request_seconds = Histogram(
    "tidu_request_seconds", "Time to an answer in seconds.", ["endpoint"], registry=registry
)
at_work = Gauge("tidu_lane_at_work", "Requests at work.", ["lane"], registry=registry)
waiting = Gauge("tidu_lane_waiting", "Requests waiting for their turn.", ["lane"], registry=registry)
turn_seconds = Histogram(
    "tidu_lane_turn_seconds", "Time that a request waited for its turn.", ["lane"], registry=registry
)
shed_total = Counter(
    "tidu_lane_shed_total", "Requests sent away because too many came at once.", ["lane"], registry=registry
)
