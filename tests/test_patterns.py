"""Regular expressions that are compiled when they are first used."""

import copy
import pickle
import re

import pytest

from migsafe.patterns import lazy_pattern


def test_it_behaves_like_a_compiled_expression() -> None:
    names = lazy_pattern(r"(?P<name>[a-z]+)\.", re.IGNORECASE)
    assert [match["name"] for match in names.finditer("Public.person.")] == ["Public", "person"]
    assert names.sub("", "Public.person") == "person"
    assert (names.pattern, names.groups, names.flags & re.IGNORECASE) == (r"(?P<name>[a-z]+)\.", 1, re.IGNORECASE)


def test_it_is_compiled_when_it_is_first_used() -> None:
    broken = lazy_pattern("(")
    assert broken.pattern == "("
    with pytest.raises(re.error):
        broken.search("a")


@pytest.mark.parametrize("used", [False, True])
def test_it_can_be_copied_and_pickled(used: bool) -> None:
    digits = lazy_pattern(r"\d+")
    if used:
        digits.search("7")
    for copied in (copy.deepcopy(digits), pickle.loads(pickle.dumps(digits))):
        assert copied.fullmatch("42")
