"""More fictitious units than the shipped ones, so that every application of a season has its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from workflows.actors.passwords import hash_password
from workflows.actors.people import accounts, grants, persons, units
from workflows.register.batches import USCC_DIGITS

FIRST = "祁陇黄渭洮泾昆崆麦敦嘉玉金银兴安"
SECOND = "源泰丰瑞宏达鑫盛恒润康旺驰跃腾辉"
FAMILIES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"
GIVEN = "建军秀兰志强文静海燕国庆丽娟永平晓峰淑芬俊杰玉梅宏伟春霞立新雅琴"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of units: how ids and credit codes of it begin, and how many are shipped as models."""

    kind: str
    unit: str
    person: str
    licence: str
    name: str
    name_en: str
    shipped: int


ENTERPRISE = Kind(
    kind="enterprise",
    unit="u",
    person="app",
    licence="91",
    name="{city}{brand}{sector}有限公司",
    name_en="{city} {sector} No. {place} Co., Ltd.",
    shipped=36,
)
PARK = Kind(
    kind="park",
    unit="up",
    person="park",
    licence="12",
    name="{city}{brand}工业园区管理委员会",
    name_en="{city} Industrial Park No. {place} Administration",
    shipped=4,
)


def enrol(
    connection: sa.Connection, number: int, *, password: str, now: datetime, kind: Kind = ENTERPRISE
) -> int:
    """Make sure that units u01 … (parks: up01 …) and their applicants reach `number`; how many are new.

    Each newcomer is like one of the shipped units of its kind in place and trade, with a name, a credit
    code and an account of its own.
    """
    models = _shipped(connection, kind)
    known = set(connection.scalars(sa.select(units.c.id)))
    new = [place for place in range(1, number + 1) if _unit_id(kind, place) not in known]
    hashed = hash_password(password) if new else ""
    for place in new:
        model = models[place % len(models)]
        unit = newcomer(model, place, kind)
        person = {"id": f"{kind.person}{place:02}", "name": unit["contact"], "name_en": unit["contact_en"]}
        person |= {"level": "unit", "authority": unit["authority"], "unit": unit["id"]}
        group = {"person": person["id"], "kind": "group", "name": f"applicant@{unit['id']}"}
        account = {"person": person["id"], "password": hashed, "changed_at": now}
        connection.execute(units.insert().values(unit))
        connection.execute(persons.insert().values({**person, "email": unit["email"], "interests": []}))
        connection.execute(grants.insert().values({**group, "granted_by": "system", "granted_at": now}))
        connection.execute(accounts.insert().values(account))
    return len(new)


def newcomer(model: dict[str, Any], place: int, kind: Kind) -> dict[str, Any]:
    """A unit of the same place and trade as `model`, with a name of its own."""
    first, second = place % len(FIRST), place // len(FIRST) % len(SECOND)
    serial = place // (len(FIRST) * len(SECOND))
    brand = FIRST[first] + SECOND[second] + (f"第{serial}" if serial else "")
    city, city_en = str(model["name"])[:2], str(model["name_en"]).split()[0]
    return {
        **model,
        "id": _unit_id(kind, place),
        "name": kind.name.format(city=city, brand=brand, sector=model["sector_name"]),
        "name_en": kind.name_en.format(
            city=city_en, sector=str(model["sector_name_en"]).capitalize(), place=place
        ),
        "uscc": credit_code(kind.licence + str(model["uscc"])[2:8], place),
        "address": f"{model['address']}附{place}号",
        "legal_representative": _person(place),
        "legal_representative_en": f"Representative {place}",
        "contact": _person(place * 7 + 3),
        "contact_en": f"Contact {place}",
        "phone": f"0931-666{place:04}",
        "email": f"{_unit_id(kind, place)}@example.com",
    }


def credit_code(start: str, place: int) -> str:
    """A well-formed unified social credit code: kind and region, nine characters, check character."""
    stem = f"{start}MA9{place:06}"
    total = sum(USCC_DIGITS.index(mark) * pow(3, position, 31) for position, mark in enumerate(stem))
    return stem + USCC_DIGITS[-total % 31]


def _shipped(connection: sa.Connection, kind: Kind) -> list[dict[str, Any]]:
    query = sa.select(units).where(units.c.kind == kind.kind).order_by(units.c.id)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [{str(key): value for key, value in row.items()} for row in rows][: kind.shipped]


def _unit_id(kind: Kind, place: int) -> str:
    return f"{kind.unit}{place:02}"


def _person(draw: int) -> str:
    given = draw * 2 % len(GIVEN)
    return FAMILIES[draw % len(FAMILIES)] + GIVEN[given : given + 2]
