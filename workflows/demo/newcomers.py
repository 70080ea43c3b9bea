"""More fictitious enterprises than the shipped ones, so that every application of a season has its own."""

from __future__ import annotations

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
LICENCE_KIND = "91"


def enrol(connection: sa.Connection, number: int, *, password: str, now: datetime) -> int:
    """Make sure that enterprises u01 … and their applicants reach up to `number`; how many are new.

    Each newcomer is like one of the shipped enterprises in place and trade, with a name, a credit code and
    an account of its own.
    """
    models = _enterprises(connection)
    known = set(connection.scalars(sa.select(units.c.id)))
    new = [place for place in range(1, number + 1) if _unit_id(place) not in known]
    hashed = hash_password(password) if new else ""
    for place in new:
        model = models[place % len(models)]
        unit = newcomer(model, place)
        person = {"id": f"app{place:02}", "name": unit["contact"], "name_en": unit["contact_en"]}
        person |= {"level": "unit", "authority": unit["authority"], "unit": unit["id"]}
        group = {"person": person["id"], "kind": "group", "name": f"applicant@{unit['id']}"}
        account = {"person": person["id"], "password": hashed, "changed_at": now}
        connection.execute(units.insert().values(unit))
        connection.execute(persons.insert().values({**person, "email": unit["email"], "interests": []}))
        connection.execute(grants.insert().values({**group, "granted_by": "system", "granted_at": now}))
        connection.execute(accounts.insert().values(account))
    return len(new)


def newcomer(model: dict[str, Any], place: int) -> dict[str, Any]:
    """An enterprise of the same place and trade as `model`, with a name of its own."""
    first, second = place % len(FIRST), place // len(FIRST) % len(SECOND)
    serial = place // (len(FIRST) * len(SECOND))
    brand = FIRST[first] + SECOND[second] + (f"第{serial}" if serial else "")
    city, city_en = str(model["name"])[:2], str(model["name_en"]).split()[0]
    return {
        **model,
        "id": _unit_id(place),
        "name": f"{city}{brand}{model['sector_name']}有限公司",
        "name_en": f"{city_en} {str(model['sector_name_en']).capitalize()} No. {place} Co., Ltd.",
        "uscc": credit_code(str(model["uscc"])[2:8], place),
        "address": f"{model['address']}附{place}号",
        "legal_representative": _person(place),
        "legal_representative_en": f"Representative {place}",
        "contact": _person(place * 7 + 3),
        "contact_en": f"Contact {place}",
        "phone": f"0931-666{place:04}",
        "email": f"{_unit_id(place)}@example.com",
    }


def credit_code(region: str, place: int) -> str:
    """A well-formed unified social credit code: kind, region, nine characters, check character."""
    stem = f"{LICENCE_KIND}{region}MA9{place:06}"
    total = sum(USCC_DIGITS.index(mark) * pow(3, position, 31) for position, mark in enumerate(stem))
    return stem + USCC_DIGITS[-total % 31]


def _enterprises(connection: sa.Connection) -> list[dict[str, Any]]:
    query = sa.select(units).where(units.c.kind == "enterprise").order_by(units.c.id)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [{str(key): value for key, value in row.items()} for row in rows][:36]


def _unit_id(place: int) -> str:
    return f"u{place:02}"


def _person(draw: int) -> str:
    given = draw * 2 % len(GIVEN)
    return FAMILIES[draw % len(FAMILIES)] + GIVEN[given : given + 2]
