"""When a timer is due: one table of moments, the same wherever the process runs."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from functools import cache

import pytest

from engine.definition.model import Definition
from engine.execution.execution import Execution
from tests.engine.drawing import process, timer
from workflows.register.calendar import load_calendar

SHANGHAI = timezone(timedelta(hours=8))
PROCESS_ZONES = ("UTC", "Asia/Shanghai", "America/New_York")
TABLE = """
# 29 February
2028-01-29T09:00 | P1M | 2028-02-29T09:00
2028-01-30T09:00 | P1M | 2028-02-29T09:00
2028-01-31T09:00 | P1M | 2028-02-29T09:00
2028-02-28T09:00 | P1D | 2028-02-29T09:00
2028-02-28T09:00 | P1Y | 2029-02-28T09:00
2028-02-29T09:00 | P1D | 2028-03-01T09:00
2028-02-29T09:00 | P1M | 2028-03-29T09:00
2028-02-29T09:00 | P1Y | 2029-02-28T09:00
2028-02-29T09:00 | P12M | 2029-02-28T09:00
2028-02-29T09:00 | P4Y | 2032-02-29T09:00
2028-02-29T09:00 | P48M | 2032-02-29T09:00
2028-02-29T09:00 | P72Y | 2100-02-28T09:00
2028-02-29T09:00 | P100Y | 2128-02-29T09:00
2028-02-29T09:00 | P365D | 2029-02-28T09:00
2028-02-29T09:00 | P366D | 2029-03-01T09:00
2027-02-28T09:00 | P1D | 2027-03-01T09:00
2027-02-28T09:00 | P1Y | 2028-02-28T09:00
2096-02-29T09:00 | P4Y | 2100-02-28T09:00
2100-02-28T09:00 | P1D | 2100-03-01T09:00
2000-02-28T09:00 | P1D | 2000-02-29T09:00
2026-01-01T09:00 | 2028-02-29T00:00:00+08:00 | 2028-02-29T00:00

# month ends
2026-01-28T09:00 | P1M | 2026-02-28T09:00
2026-01-29T09:00 | P1M | 2026-02-28T09:00
2026-01-31T09:00 | P1M | 2026-02-28T09:00
2026-01-31T09:00 | P2M | 2026-03-31T09:00
2026-01-31T09:00 | P13M | 2027-02-28T09:00
2026-01-31T09:00 | P1Y1M | 2027-02-28T09:00
2026-01-31T09:00 | P1M1D | 2026-03-01T09:00
2026-01-31T09:00 | P1MT24H | 2026-03-01T09:00
2026-03-31T09:00 | P1M | 2026-04-30T09:00
2026-03-31T09:00 | P11M | 2027-02-28T09:00
2026-04-30T09:00 | P1M | 2026-05-30T09:00
2026-05-31T09:00 | P1M | 2026-06-30T09:00
2026-06-30T09:00 | P8M | 2027-02-28T09:00
2026-07-31T09:00 | P1M | 2026-08-31T09:00
2026-08-31T09:00 | P1M | 2026-09-30T09:00
2026-08-31T09:00 | P6M | 2027-02-28T09:00
2026-10-31T09:00 | P1M | 2026-11-30T09:00
2026-11-30T09:00 | P3M | 2027-02-28T09:00
2027-12-31T09:00 | P2M | 2028-02-29T09:00
2026-01-31T00:30 | P1M | 2026-02-28T00:30
2026-01-31T23:30 | P1M | 2026-02-28T23:30
2026-01-01T09:00 | =date and time("2026-01-31T09:00:00+08:00") + duration("P1M") | 2026-02-28T09:00

# year ends
2026-12-31T23:59:59 | PT1S | 2027-01-01T00:00
2026-12-31T23:59 | PT1M | 2027-01-01T00:00
2026-12-31T20:00 | PT4H | 2027-01-01T00:00
2026-12-31T09:00 | P1D | 2027-01-01T09:00
2026-12-31T09:00 | P1M | 2027-01-31T09:00
2026-12-31T09:00 | P2M | 2027-02-28T09:00
2026-12-25T09:00 | P1W | 2027-01-01T09:00
2026-12-01T09:00 | P1M | 2027-01-01T09:00
2026-06-30T09:00 | P6M | 2026-12-30T09:00
2023-12-31T09:00 | P1Y | 2024-12-31T09:00
2024-12-31T09:00 | P1Y | 2025-12-31T09:00
2023-01-01T09:00 | P365D | 2024-01-01T09:00
2024-01-01T09:00 | P366D | 2025-01-01T09:00
1999-12-31T23:59:59 | PT1S | 2000-01-01T00:00
2038-01-19T11:14:07 | PT1S | 2038-01-19T11:14:08
9998-12-31T09:00 | P1Y | 9999-12-31T09:00
2026-01-01T09:00 | 2026-12-31T23:59:59Z | 2027-01-01T07:59:59

# week 53
2020-12-28T09:00 | P1W | 2021-01-04T09:00
2026-12-21T09:00 | P1W | 2026-12-28T09:00
2026-12-28T09:00 | P1W | 2027-01-04T09:00
2026-12-28T09:00 | P7D | 2027-01-04T09:00
2027-01-03T09:00 | P1W | 2027-01-10T09:00
2026-01-01T09:00 | P52W | 2026-12-31T09:00
2026-01-01T09:00 | P53W | 2027-01-07T09:00
2026-12-31T09:00 | P52W | 2027-12-30T09:00
2025-12-29T09:00 | P53W | 2027-01-04T09:00
2032-12-27T09:00 | P1W | 2033-01-03T09:00

# hours, minutes, seconds
2026-03-02T09:00 | PT24H | 2026-03-03T09:00
2026-03-02T09:00 | PT36H | 2026-03-03T21:00
2026-03-02T09:00 | PT90M | 2026-03-02T10:30
2026-03-02T09:00 | P1DT12H | 2026-03-03T21:00
2026-03-02T09:00 | PT1H30M15S | 2026-03-02T10:30:15
2026-03-02T09:00 | PT0.5S | 2026-03-02T09:00:00.500000
2026-03-02T09:00 | =duration("P1D") + duration("PT1H") | 2026-03-03T10:00
2026-03-02T09:00 | =now() + duration("P14D") | 2026-03-16T09:00

# zones of the drawing
2026-01-01T09:00 | 2026-03-01T09:00:00+08:00 | 2026-03-01T09:00
2026-01-01T09:00 | 2026-03-01T09:00:00Z | 2026-03-01T17:00
2026-01-01T09:00 | 2026-03-01T09:00:00-05:00 | 2026-03-01T22:00
2026-01-01T09:00 | 2026-03-01T09:00:00+05:30 | 2026-03-01T11:30
2026-01-01T09:00 | 2026-03-01T09:00:00@Asia/Shanghai | 2026-03-01T09:00
2026-01-01T09:00 | 2026-03-01T09:00:00@Asia/Urumqi | 2026-03-01T11:00
2026-01-01T09:00 | 2026-01-15T09:00:00@America/New_York | 2026-01-15T22:00
2026-01-01T09:00 | 2026-07-01T09:00:00@America/New_York | 2026-07-01T21:00
2026-01-01T09:00 | 2027-01-01T09:00:00@Europe/Athens | 2027-01-01T15:00
2026-01-01T09:00 | 2027-07-01T09:00:00@Europe/Athens | 2027-07-01T14:00
2026-01-01T09:00 | =date and time("2026-03-01T09:00:00@Asia/Shanghai") | 2026-03-01T09:00
2026-01-01T09:00 | =date and time(date("2026-03-01"), time("18:00:00+08:00")) | 2026-03-01T18:00

# summer time in Shanghai, 1986 to 1991
1986-01-01T09:00 | 1986-05-03T12:00:00@Asia/Shanghai | 1986-05-03T12:00
1986-01-01T09:00 | 1986-05-05T12:00:00@Asia/Shanghai | 1986-05-05T11:00
1986-01-01T09:00 | 1986-09-13T12:00:00@Asia/Shanghai | 1986-09-13T11:00
1986-01-01T09:00 | 1986-09-15T12:00:00@Asia/Shanghai | 1986-09-15T12:00
1987-01-01T09:00 | 1987-04-11T12:00:00@Asia/Shanghai | 1987-04-11T12:00
1987-01-01T09:00 | 1987-04-13T12:00:00@Asia/Shanghai | 1987-04-13T11:00
1987-01-01T09:00 | 1987-09-12T12:00:00@Asia/Shanghai | 1987-09-12T11:00
1987-01-01T09:00 | 1987-09-14T12:00:00@Asia/Shanghai | 1987-09-14T12:00
1988-01-01T09:00 | 1988-07-01T09:00:00@Asia/Shanghai | 1988-07-01T08:00
1988-01-01T09:00 | 1988-04-16T12:00:00@Asia/Shanghai | 1988-04-16T12:00
1988-01-01T09:00 | 1988-04-18T12:00:00@Asia/Shanghai | 1988-04-18T11:00
1988-01-01T09:00 | 1988-09-10T12:00:00@Asia/Shanghai | 1988-09-10T11:00
1988-01-01T09:00 | 1988-09-12T12:00:00@Asia/Shanghai | 1988-09-12T12:00
1989-01-01T09:00 | 1989-04-15T12:00:00@Asia/Shanghai | 1989-04-15T12:00
1989-01-01T09:00 | 1989-04-17T12:00:00@Asia/Shanghai | 1989-04-17T11:00
1989-01-01T09:00 | 1989-09-16T12:00:00@Asia/Shanghai | 1989-09-16T11:00
1989-01-01T09:00 | 1989-09-18T12:00:00@Asia/Shanghai | 1989-09-18T12:00
1990-01-01T09:00 | 1990-04-16T12:00:00@Asia/Shanghai | 1990-04-16T11:00
1990-01-01T09:00 | 1990-09-17T12:00:00@Asia/Shanghai | 1990-09-17T12:00
1991-01-01T09:00 | 1991-04-15T12:00:00@Asia/Shanghai | 1991-04-15T11:00
1991-01-01T09:00 | 1991-09-14T12:00:00@Asia/Shanghai | 1991-09-14T11:00
1991-01-01T09:00 | 1991-09-16T12:00:00@Asia/Shanghai | 1991-09-16T12:00
1992-01-01T09:00 | 1992-07-01T12:00:00@Asia/Shanghai | 1992-07-01T12:00

# working days, adjusted weekends of 2024
2024-02-02T09:00 | =add working days(now(), 1) | 2024-02-04T18:00
2024-02-08T09:00 | =add working days(now(), 1) | 2024-02-09T18:00
2024-02-09T09:00 | =add working days(now(), 1) | 2024-02-18T18:00
2024-02-28T09:00 | =add working days(now(), 1) | 2024-02-29T18:00
2024-04-03T09:00 | =add working days(now(), 1) | 2024-04-07T18:00
2024-09-13T09:00 | =add working days(now(), 1) | 2024-09-14T18:00
2024-09-30T09:00 | =add working days(now(), 1) | 2024-10-08T18:00
2024-10-11T09:00 | =add working days(now(), 1) | 2024-10-12T18:00

# working days, adjusted weekends of 2025
2025-01-24T09:00 | =add working days(now(), 1) | 2025-01-26T18:00
2025-01-27T09:00 | =add working days(now(), 1) | 2025-02-05T18:00
2025-02-07T09:00 | =add working days(now(), 1) | 2025-02-08T18:00
2025-04-25T09:00 | =add working days(now(), 1) | 2025-04-27T18:00
2025-04-30T09:00 | =add working days(now(), 1) | 2025-05-06T18:00
2025-05-30T09:00 | =add working days(now(), 1) | 2025-06-03T18:00
2025-09-26T09:00 | =add working days(now(), 1) | 2025-09-28T18:00
2025-09-30T09:00 | =add working days(now(), 1) | 2025-10-09T18:00
2025-10-10T09:00 | =add working days(now(), 1) | 2025-10-11T18:00

# working days, adjusted weekends of 2026
2025-12-31T09:00 | =add working days(now(), 1) | 2026-01-04T18:00
2025-12-31T09:00 | =add working days(now(), 2) | 2026-01-05T18:00
2026-02-13T16:00 | =add working days(now(), 5) | 2026-02-27T18:00
2026-02-14T09:00 | =add working days(now(), 1) | 2026-02-24T18:00
2026-02-27T09:00 | =add working days(now(), 1) | 2026-02-28T18:00
2026-02-28T09:00 | =add working days(now(), 1) | 2026-03-02T18:00
2026-03-02T00:01 | =add working days(now(), 1) | 2026-03-03T18:00
2026-03-02T23:59 | =add working days(now(), 1) | 2026-03-03T18:00
2026-03-02T09:00 | =add working days(now(), 20) | 2026-03-30T18:00
2026-04-03T09:00 | =add working days(now(), 1) | 2026-04-07T18:00
2026-04-30T09:00 | =add working days(now(), 1) | 2026-05-06T18:00
2026-05-08T09:00 | =add working days(now(), 1) | 2026-05-09T18:00
2026-05-09T09:00 | =add working days(now(), 1) | 2026-05-11T18:00
2026-06-18T09:00 | =add working days(now(), 1) | 2026-06-22T18:00
2026-09-18T09:00 | =add working days(now(), 1) | 2026-09-20T18:00
2026-09-24T09:00 | =add working days(now(), 1) | 2026-09-28T18:00
2026-09-29T09:00 | =add working days(now(), 3) | 2026-10-09T18:00
2026-09-30T09:00 | =add working days(now(), 1) | 2026-10-08T18:00
2026-10-09T09:00 | =add working days(now(), 1) | 2026-10-10T18:00
2026-10-10T09:00 | =add working days(now(), 1) | 2026-10-12T18:00

# working days of a year that is not published: weekends only
2026-12-31T09:00 | =add working days(now(), 1) | 2027-01-01T18:00
2026-12-30T09:00 | =add working days(now(), 5) | 2027-01-06T18:00
"""
ROWS = [line.split(" | ") for line in TABLE.splitlines() if "|" in line]


@pytest.fixture
def process_zone(monkeypatch):
    """Let the process believe that it stands elsewhere."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


@cache
def drawn(text: str) -> Definition:
    form = "Duration" if text.startswith(("P", "=duration")) else "Date"
    return process().start().catch("wait", timer(text, form)).end().read()


def due(start: str, text: str) -> datetime:
    now = datetime.fromisoformat(start).replace(tzinfo=SHANGHAI)
    execution = Execution.start(drawn(text), {}, calendar=load_calendar("cn-2026-1"), now=now)
    (timed,) = [signal for signal in execution.drain() if type(signal).__name__ == "Timed"]
    return timed.due_at


def test_the_table_is_long_enough(campaign):
    moments = {tuple(row) for row in ROWS}
    wrong = [row for row in ROWS if due(*row[:2]) != datetime.fromisoformat(row[2]).replace(tzinfo=SHANGHAI)]

    assert len(moments) == len(ROWS) >= 120
    campaign.tell("R20", moments=len(moments), wrong=len(wrong))


@pytest.mark.parametrize(("start", "text", "expected"), ROWS)
def test_a_timer_is_due_when_the_calendar_says_wherever_the_process_stands(
    start, text, expected, process_zone
):
    for zone in PROCESS_ZONES:
        process_zone(zone)
        assert due(start, text) == datetime.fromisoformat(expected).replace(tzinfo=SHANGHAI)
