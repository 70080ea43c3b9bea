"""Life after the title: who begins what about which unit, and what they write on its first page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from workflows.actors.people import authorities, units
from workflows.demo.chance import Chance
from workflows.demo.plan import Intent
from workflows.register.bans import bans
from workflows.register.changes import standing
from workflows.register.tracks import find_track
from workflows.register.units import renames
from workflows.store.tables import reading

Values = dict[str, Any]

CHANGES = ("address", "scope", "stopped", "rename", "leaving", "boundary")
"""What kinds of change take turns."""

GROUNDS = ("false_data", "exclusion", "accident", "form_refused")
"""Grounds of removal, in turns. An accident takes the fast lane: it is left out in the last year, when the
ministry's list is closed."""

LAST_YEAR = 2026
PLANNED = ("gf", "we")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A unit that something happens to, with one of its titles if it has any."""

    unit: str
    name: str
    authority: str
    track: str = ""
    level: str = ""


@dataclass(frozen=True, kw_only=True)
class Affair:
    """A case that somebody begins: by whom, about which unit, with what on the first page.

    `by` is the group of the beginner; empty for the unit's own applicant. `unit` is named to the command
    only where the applicant begins.
    """

    process: str
    by: str
    given: Values
    subject: Subject | None = None
    partner: Subject | None = None


class Affairs:
    """Finds the unit for an affair in the register as it stands on a day."""

    def __init__(self, database: sa.Engine, chance: Chance) -> None:
        self._database = database
        self._chance = chance

    def of(self, intent: Intent, on: date) -> Affair | None:
        """What the intent comes to on this day; None where the register has nobody for it yet."""
        make: Callable[[Intent, date], Affair | None] = getattr(self, f"_{intent.kind}")
        return make(intent, on)

    # --- one of each kind -----------------------------------------------------------------------------

    def _plan(self, intent: Intent, on: date) -> Affair | None:
        with reading(self._database) as connection:
            codes = list(connection.scalars(sa.select(authorities.c.code).order_by(authorities.c.code)))
            code = codes[intent.place // 2 % len(codes)]
            wanted = sa.select(units.c.name).where(units.c.authority == code, units.c.kind == "enterprise")
            names = list(connection.scalars(wanted.order_by(units.c.id).limit(3)))
        rows = [{"name": name, "track": "gf", "target_level": "provincial"} for name in names]
        targets = [{"track": track, "count": 3 + intent.place % 4} for track in PLANNED]
        given = {"plan_authority": code, "year": on.year, "targets": targets, "candidates": rows}
        basis = {"basis": f"规上企业名录、重点用能单位和{on.year - 1}年申报结果。"}
        return Affair(process="cultivation_plan", by=f"municipal_officer@{code}", given={**given, **basis})

    def _removal(self, intent: Intent, on: date) -> Affair | None:
        found = self._titled(intent, on, levels=("municipal", "provincial"), spare_national=True)
        if found is None:
            return None
        ground = GROUNDS[intent.place % len(GROUNDS)]
        ground = "exclusion" if ground == "accident" and on >= date(LAST_YEAR - 1, 9, 1) else ground
        given = {"about": found.unit, "track": found.track, "level": found.level, "ground": ground}
        given |= {"fact_date": _day(on, -20), "facts": FACTS[ground]}
        given |= {"accident_kind": "safety"} if ground == "accident" else {}
        return Affair(process="removal", by=_officer(found), given=given, subject=found)

    def _reapply(self, intent: Intent, on: date) -> Affair | None:
        return self._application(self._banned(intent, on, renamed=False))

    def _reapply_renamed(self, intent: Intent, on: date) -> Affair | None:
        return self._application(self._banned(intent, on, renamed=True))

    def _rename_banned(self, intent: Intent, on: date) -> Affair | None:
        return self._renamed(self._banned(intent, on, renamed=False), on, intent)

    def _rename(self, intent: Intent, on: date) -> Affair | None:
        return self._renamed(self._titled(intent, on), on, intent)

    def _change(self, intent: Intent, on: date) -> Affair | None:
        found = self._titled(intent, on, spare_national=True)
        kind = CHANGES[intent.place % len(CHANGES)]
        if found is None or kind == "rename":
            return self._renamed(found, on, intent)
        given = {"type": kind, "registered_on": _day(on, -10), "what": WHAT[kind]}
        given |= {"track": found.track, "affected_level": found.level} if kind == "leaving" else {}
        return Affair(process="significant_change", by="", given=given, subject=found)

    def _merger(self, intent: Intent, on: date) -> Affair | None:
        found = self._titled(intent, on, tracks=("gf", "we"), spare_national=True)
        into = self._titled(intent, on, tracks=("gf", "we"), other_than=found)
        if found is None or into is None:
            return None
        given = {"type": "restructuring", "registered_on": _day(on, -10), "new_name": into.name}
        given["what"] = f"由{into.name}吸收合并，产线和管理体系整体转入。"
        return Affair(process="significant_change", by="", given=given, subject=found, partner=into)

    def _complaint(self, intent: Intent, on: date) -> Affair | None:
        reporter = {
            "kind": "person",
            "name": "王春燕",
            "id_no": "620102198803120025",
            "contact": "13893400000",
        }
        given: Values = {"reporter": reporter, "received_on": _day(on, 0), "channel": "letter"}
        given["facts"] = "能源消费数据与实际不符，有电费单据为证。"
        if intent.place % 5 == 4:
            given |= {"reported": "evaluator", "reported_name": "ev2"}
            return Affair(process="complaint", by="complaint_officer@province", given=given)
        found = self._titled(intent, on)
        if found is None:
            return None
        given |= {"reported": "unit", "reported_name": found.unit}
        return Affair(process="complaint", by="complaint_officer@province", given=given)

    def _re_evaluation(self, intent: Intent, on: date) -> Affair | None:
        found = self._titled(intent, on, levels=("municipal", "provincial"), spare_national=True)
        if found is None:
            return None
        given = {"about": found.unit, "track": found.track, "level": found.level, "kind": "spot_check"}
        given |= {"standard": STANDARD if on.year >= LAST_YEAR else OLD, "reason": "年度抽查复核。"}
        return Affair(process="re_evaluation", by=_officer(found), given=given, subject=found)

    def _application(self, found: Subject | None) -> Affair | None:
        if found is None:
            return None
        return Affair(process=find_track(found.track).process, by="", given={}, subject=found)

    def _renamed(self, found: Subject | None, on: date, intent: Intent) -> Affair | None:
        if found is None:
            return None
        given = {"type": "rename", "registered_on": _day(on, -10), "what": WHAT["rename"]}
        given |= {"new_name": _new_name(found.name, intent.place)}
        return Affair(process="significant_change", by="", given=given, subject=found)

    # --- whom it befalls ------------------------------------------------------------------------------

    def _titled(
        self,
        intent: Intent,
        on: date,
        *,
        levels: Iterable[str] = (),
        tracks: Iterable[str] = (),
        spare_national: bool = False,
        other_than: Subject | None = None,
    ) -> Subject | None:
        """A unit with a title on this day, any of them as likely; those of the national level stay out of
        what might end a title, for the ministry's list is the ministry's."""
        with reading(self._database) as connection:
            rows = standing(connection, levels=tuple(levels), tracks=tuple(tracks), on=on)
            national = standing(connection, levels=("national",), on=on) if spare_national else ()
        spared = {row["unit"] for row in national} | ({other_than.unit} if other_than else set())
        able = [row for row in rows if row["unit"] not in spared]
        if not able:
            return None
        role = "partner" if other_than else "subject"
        return _subject(self._chance.about(intent.kind, intent.number, role).one_of(able))

    def _banned(self, intent: Intent, on: date, *, renamed: bool) -> Subject | None:
        """A unit that may not apply on this day, for what it bore."""
        of = sa.select(bans.c.unit, bans.c.until, units.c.name, units.c.authority, units.c.kind)
        query = of.join(units, units.c.id == bans.c.unit).where(bans.c.until > on, bans.c.since <= on)
        with reading(self._database) as connection:
            rows = connection.execute(query.order_by(bans.c.since, bans.c.unit)).mappings().all()
            others = set(connection.scalars(sa.select(renames.c.unit)))
        able = [row for row in rows if (row["unit"] in others) == renamed] or list(rows)
        if not able:
            return None
        chosen = self._chance.about(intent.kind, intent.number).one_of(able)
        track = "gp" if chosen["kind"] == "park" else "gf"
        facts = {name: chosen[name] for name in ("unit", "name", "authority")}
        return Subject(track=track, **facts)


FACTS = {
    "false_data": "抽查发现能源台账与填报数据不符，系虚报。",
    "exclusion": "被列入严重违法失信名单。",
    "accident": "发生重大生产安全事故，事故调查报告已公布。",
    "form_refused": "未按时填报年度动态管理表，经催促仍不报送。",
}
REPORTER = {"kind": "person", "name": "王春燕", "id_no": "620102198803120025", "contact": "13893400000"}
WHAT = {
    "rename": "按登记机关核准变更名称，股东、场地和产线未变。",
    "address": "办公地址迁至同一园区内，生产场地未变。",
    "scope": "新增一条产线，经营范围相应变更。",
    "boundary": "并购相邻厂区，组织边界扩大。",
    "stopped": "设备大修，暂时停产。",
    "leaving": "自愿退出名单。",
}
STANDARD, OLD = "GB/T 36132-2025", "GB/T 36132-2018"
BRANDS = ("新程", "绿源", "恒泽", "启明", "华陇", "远景")


def _subject(row: Mapping[str, Any]) -> Subject:
    kept = {name: row[name] for name in ("unit", "authority", "track", "level")}
    return Subject(name=row["unit_name"], **kept)


def _officer(found: Subject) -> str:
    return f"municipal_officer@{found.authority}" if found.level == "municipal" else "provincial_officer"


def _new_name(name: str, place: int) -> str:
    """The city stays, the brand is another."""
    return name[:2] + BRANDS[place % len(BRANDS)] + name[4:]


def _day(on: date, days: int) -> str:
    return (on + timedelta(days=days)).isoformat()
