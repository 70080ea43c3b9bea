"""Read the settings once from the environment; everything else gets them handed over.

| variable | default | meaning |
|---|---|---|
| `TIDU_DATABASE_URL` | `sqlite:///<data dir>/tidu.db` | where cases live; or `postgresql+psycopg://…` |
| `TIDU_DATA_DIR` | `data/` in the checkout | evidence files, the secret key, the SQLite file |
| `TIDU_SECRET_KEY` | made once, kept in `<data dir>/secret.key` | signs cookies; at least 32 signs |
| `TIDU_HOST` | `127.0.0.1` | the address `tidu serve` listens on |
| `TIDU_PORT` | `8080` | the port `tidu serve` listens on |
| `TIDU_BASE_URL` | `http://<host>:<port>` | how browsers reach us; `https://…` makes cookies Secure |
| `TIDU_LOG` | `INFO` | least severity that is logged |
| `TIDU_TICK_SECONDS` | `2` | how often the worker looks for due timers, jobs and dispatches |
| `TIDU_SESSION_IDLE_MINUTES` | `30` | a session unused for so long is over |
| `TIDU_SESSION_HOURS` | `8` | a session is over after so many hours in any case |
| `TIDU_MAX_UPLOAD_MB` | `50` | largest request accepted, evidence files included |
| `TIDU_READS` | `8` | how many reading requests are at work at once in one server process |
| `TIDU_WRITES` | `16` | how many changing ones |
| `TIDU_WAITING` | `48` | how many more of each kind wait for their turn; then 503 |
| `TIDU_PATIENCE_SECONDS` | `10` | how long a request waits for its turn; then 503 |
| `TIDU_STARTS_PER_HOUR` | `200` | how many cases one person may start within an hour; then 429 |
| `TIDU_CHECKPOINT_DIR` | `<data dir>/checkpoints` | the key that signs checkpoints, and the newest one |
| `TIDU_CHECKPOINT_MINUTES` | `5` | how often the worker signs one |
| `TIDU_SMTP_URL` | none: no mail leaves | `smtps://user:password@host`, `smtp+starttls://…`, `smtp://…` |
| `TIDU_MAIL_FROM` | none | the address that mail comes from |
| `TIDU_WEBHOOK_NETWORKS` | none: public addresses | networks of our own that webhooks may reach |
| `TIDU_KEEP_DELIVERIES_DAYS` | `365` | how long the delivery log of ended cases stays; 183 at least |
| `TIDU_TRIAL_SECONDS` | `10` | how long the check of one process may last |
| `TIDU_TRIAL_CPU_SECONDS` | `5` | how long it may work |
| `TIDU_TRIAL_MEMORY_MB` | `1024` | how much memory it may take |
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from workflows.library.trial.trial import Limits

CHECKOUT = Path(__file__).resolve().parent.parent
SHORTEST_KEY = 32
HALF_A_YEAR = 183  # the law asks for six months of such logs
SMTP_SCHEMES = ("smtps", "smtp+starttls", "smtp")
LEAST_MEMORY = 256  # the engine alone takes half of it
SHORTEST_TOLD = f"TIDU_SECRET_KEY needs at least {SHORTEST_KEY} characters"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an installation may decide; immutable once read."""

    data_dir: Path
    database_url: str
    secret_key: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = "http://127.0.0.1:8080"
    log: str = "INFO"
    tick_seconds: int = 2
    session_idle_minutes: int = 30
    session_hours: int = 8
    max_upload_mb: int = 50
    reads: int = 8
    writes: int = 16
    waiting: int = 48
    patience_seconds: int = 10
    starts_per_hour: int = 200
    checkpoint_dir: Path | None = None
    checkpoint_minutes: int = 5
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    webhook_networks: tuple[Network, ...] = ()
    keep_deliveries_days: int = 365
    trial_seconds: int = 10
    trial_cpu_seconds: int = 5
    trial_memory_mb: int = 1024

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def limits(self) -> Limits:
        return Limits(
            wall_seconds=self.trial_seconds,
            cpu_seconds=self.trial_cpu_seconds,
            memory_mb=self.trial_memory_mb,
        )

    @property
    def ring_dir(self) -> Path:
        return self.checkpoint_dir or self.data_dir / "checkpoints"

    @property
    def evidence_dir(self) -> Path:
        return self.data_dir / "evidence"

    @property
    def tidemarks_dir(self) -> Path:
        return self.data_dir / "tidemarks"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; makes the data directory and, once, its secret key."""
    said = os.environ if environment is None else environment
    data_dir = Path(said.get("TIDU_DATA_DIR") or CHECKOUT / "data").absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    limits = read_limits(said)
    host = said.get("TIDU_HOST") or "127.0.0.1"
    port = _number(said, "TIDU_PORT", 8080)
    return Settings(
        data_dir=data_dir,
        database_url=said.get("TIDU_DATABASE_URL") or f"sqlite:///{data_dir / 'tidu.db'}",
        secret_key=_secret_key(said.get("TIDU_SECRET_KEY") or "", data_dir),
        host=host,
        port=port,
        base_url=(said.get("TIDU_BASE_URL") or f"http://{host}:{port}").rstrip("/"),
        log=(said.get("TIDU_LOG") or "INFO").upper(),
        tick_seconds=_number(said, "TIDU_TICK_SECONDS", 2),
        session_idle_minutes=_number(said, "TIDU_SESSION_IDLE_MINUTES", 30),
        session_hours=_number(said, "TIDU_SESSION_HOURS", 8),
        max_upload_mb=_number(said, "TIDU_MAX_UPLOAD_MB", 50),
        reads=_number(said, "TIDU_READS", 8),
        writes=_number(said, "TIDU_WRITES", 16),
        waiting=_number(said, "TIDU_WAITING", 48),
        patience_seconds=_number(said, "TIDU_PATIENCE_SECONDS", 10),
        starts_per_hour=_number(said, "TIDU_STARTS_PER_HOUR", 200),
        checkpoint_dir=Path(said.get("TIDU_CHECKPOINT_DIR") or data_dir / "checkpoints").absolute(),
        checkpoint_minutes=_number(said, "TIDU_CHECKPOINT_MINUTES", 5),
        smtp_url=_smtp_url(said),
        mail_from=said.get("TIDU_MAIL_FROM") or "",
        webhook_networks=_networks(said.get("TIDU_WEBHOOK_NETWORKS") or ""),
        keep_deliveries_days=max(_number(said, "TIDU_KEEP_DELIVERIES_DAYS", 365), HALF_A_YEAR),
        trial_seconds=limits.wall_seconds,
        trial_cpu_seconds=limits.cpu_seconds,
        trial_memory_mb=limits.memory_mb,
    )


def read_limits(environment: Mapping[str, str] | None = None) -> Limits:
    """What the check of one process may take; for commands that need no house it makes nothing."""
    said = os.environ if environment is None else environment
    return Limits(
        wall_seconds=_number(said, "TIDU_TRIAL_SECONDS", 10),
        cpu_seconds=_number(said, "TIDU_TRIAL_CPU_SECONDS", 5),
        memory_mb=max(_number(said, "TIDU_TRIAL_MEMORY_MB", 1024), LEAST_MEMORY),
    )


def _number(said: Mapping[str, str], name: str, default: int) -> int:
    text = said.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SystemExit(f"{name} must be a positive whole number, found {text!r}")
    return int(text)


def _smtp_url(said: Mapping[str, str]) -> str:
    """The mail server. What goes over the wire in the clear carries no password."""
    url = said.get("TIDU_SMTP_URL") or ""
    parts = urlsplit(url)
    if url and (parts.scheme not in SMTP_SCHEMES or not parts.hostname):
        raise SystemExit(f"TIDU_SMTP_URL must begin with one of {', '.join(SMTP_SCHEMES)} and name a host")
    if parts.scheme == "smtp" and parts.username:
        raise SystemExit("TIDU_SMTP_URL has a password: use smtps:// or smtp+starttls://")
    if url and not said.get("TIDU_MAIL_FROM"):
        raise SystemExit("TIDU_SMTP_URL needs TIDU_MAIL_FROM: an address that mail comes from")
    return url


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise SystemExit(f"TIDU_WEBHOOK_NETWORKS: {error}") from error


def _secret_key(given: str, data_dir: Path) -> str:
    if given and len(given) < SHORTEST_KEY:
        raise SystemExit(SHORTEST_TOLD)
    return given or _kept_key(data_dir / "secret.key")


def _kept_key(path: Path) -> str:
    """The key of this data directory. Of two processes that start at once, the first one's key counts."""
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # somebody else was first; theirs counts
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
