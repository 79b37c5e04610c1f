"""The words for differences between two schemas."""

from migsafe.replaying.experiments.contents import schema_differences

BODY = "CREATE FUNCTION f() RETURNS int AS $$ BEGIN " + "PERFORM 1; " * 40 + "RETURN {}; END $$"


def differences(expected: str, actual: str) -> list[str]:
    return schema_differences({("function", "f()"): expected}, {("function", "f()"): actual})


def test_an_invalid_index_is_called_so() -> None:
    definition = "CREATE INDEX i ON t USING btree (a)"
    assert schema_differences({("index", "i"): definition}, {("index", "i"): f"{definition} (INVALID)"}) == ["index i is INVALID"]


def test_long_definitions_begin_shortly_before_their_first_difference() -> None:
    [difference] = differences(BODY.format(1), BODY.format(2))
    assert difference.startswith("function f() is … ")
    assert "PERFORM 1; RETURN 2; END $$, expected … PERFORM 1;" in difference
    assert difference.endswith("PERFORM 1; RETURN 1; END $$")


def test_definitions_that_differ_in_white_space() -> None:
    assert differences(BODY.format(1), BODY.format(1).replace("; ", ";\n")) == ["function f() differs in its white space only"]
