"""The version of a new migration: behind that of the edited one, before the next one, and unused."""

import pytest

from migsafe.fixes.names import NoVersion, next_version, read_name


@pytest.mark.parametrize(
    ("runner", "name", "following", "used", "expected"),
    [
        ("plain", "7_a.sql", None, (), "8"),
        ("plain", "0099_a.sql", None, (), "0100"),
        ("plain", "0007_a.sql", "0010", ("0008",), "0009"),
        ("sqlx", "20240228235959_a.sql", None, (), "20240229000000"),
        ("sqlx", "202402282359_a.sql", None, ("202402290000",), "202402290001"),
        ("sqlx", "20241399000000_a.sql", None, (), "20241399000001"),  # not a time
        ("flyway", "V1.09__a.sql", None, (), "1.10"),
        ("flyway", "V1.2__a.sql", "1.3", (), "1.2.1"),
        ("flyway", "V1_2__a.sql", "1_3", ("1.2.1",), "1_2_2"),
        ("flyway", "V1__a.sql", None, ("2.0",), "3"),
    ],
)
def test_the_next_version(runner: str, name: str, following: str | None, used: tuple[str, ...], expected: str) -> None:
    assert next_version(read_name(name, runner), following, used) == expected


@pytest.mark.parametrize(("name", "following", "used"), [("7_a.sql", "8", ()), ("7_a.sql", "9", ("8",))])
def test_between_two_numbers_there_is_none(name: str, following: str, used: tuple[str, ...]) -> None:
    with pytest.raises(NoVersion, match=f"there is no version between 7 and {following}"):
        next_version(read_name(name, "plain"), following, used)


def test_a_name_without_a_version() -> None:
    with pytest.raises(NoVersion, match=r"orders\.sql has no version"):
        read_name("orders.sql", "plain")
