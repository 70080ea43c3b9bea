"""Every planted fault fits the house as it is and names tests that are there; `make planted` plants them."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house import tree
from tests.planted.everywhere import EVERYWHERE
from tests.planted.fault import Change, DoesNotFit
from tests.planted.faults import FAULTS


def named(fault):
    return fault.name


@pytest.mark.parametrize("fault", FAULTS, ids=named)
def test_a_fault_fits_the_house_as_it_is(fault):
    for change in fault.changes:
        planted = change.applied(tree.ROOT)

        ast.parse(planted)
        assert planted != (tree.ROOT / change.file).read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", FAULTS, ids=named)
def test_a_fault_names_tests_that_are_there(fault):
    assert fault.noticed_by
    for test in fault.noticed_by:
        file, _, name = test.partition("::")
        defined = re.findall(
            r"^def (test_\w+)\(", (tree.ROOT / file).read_text(encoding="utf-8"), re.MULTILINE
        )
        assert name.partition("[")[0] in defined


def test_there_are_twelve_that_any_engine_must_notice_and_no_name_is_used_twice():
    assert len(EVERYWHERE) == 12
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_fault_that_does_not_fit_any_more_says_so(tmp_path):
    (tmp_path / "room.py").write_text("a = 1\na = 1\n", encoding="utf-8")

    for old in ("a = 1\n", "b = 1\n"):
        with pytest.raises(DoesNotFit):
            Change("room.py", old, "").applied(tmp_path)
