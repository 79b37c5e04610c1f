import pytest

from migsafe.session import Settings, milliseconds

DURATIONS = {
    "5s": 5000, "1min": 60_000, "500": 500, "2 h": 7_200_000, "0": 0, "1d": 86_400_000, "1500us": 2, "500us": 0, "1.5s": 1500, "1.5": 2,
    "0.5": 0, " 5s ": 5000, "5\ts": 5000, "010": 8, "0x1F": 31, "1e3": 1000, ".5s": 500, "1.0001h": 3_600_000, "1.00005min": 60_000, "+5": 5,
    "-0.4": 0, "2147483647": 2**31 - 1, "24d": 2_073_600_000,
    "": None, "soon": None, "-1": None, "5 S": None, "5m": None, "5 sec": None, "08": None, "1_000": None, "25d": None, "2147483648": None,
    "1e400": None, "infinity": None, "٣s": None, "5\xa0s": None, "+.5": None, "0x": None, "9" * 5000: None,
}  # fmt: skip


@pytest.mark.parametrize("value", DURATIONS)
def test_durations(value: str) -> None:
    assert milliseconds(value) == DURATIONS[value]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (None, ("public",)),
        ("", ()),
        ("$user, public", ("public",)),
        ('"$user",public', ("public",)),
        ('"a, b", "c""d",e', ("a, b", 'c"d', "e")),
        ("shop, pg_catalog, pg_temp", ("shop", "pg_temp")),
    ],
)
def test_search_path(value: str | None, path: tuple[str, ...]) -> None:
    settings = Settings()
    settings.set("Search_Path", value)
    assert settings.search_path == path


def test_duration_with_a_placeholder_is_set_but_unknown() -> None:
    settings = Settings()
    settings.set("lock_timeout", "${LOCK_TIMEOUT}")
    assert (settings.value("LOCK_TIMEOUT"), settings.lock_timeout_ms) == ("${LOCK_TIMEOUT}", None)


def test_statement_timeout() -> None:
    settings = Settings()
    assert settings.statement_timeout_ms is None
    settings.set("statement_timeout", "0")
    assert settings.statement_timeout_ms == 0
