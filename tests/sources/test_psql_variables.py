"""The values of psql's variables."""

import pytest

from migsafe.sources.psql_variables import fill_variables


@pytest.mark.parametrize(
    ("script", "filled"),
    [
        ("\\set tab orders\nALTER TABLE :tab ADD n int;", "ALTER TABLE orders ADD n int;"),
        ("\\set tab orders\nALTER TABLE :\"tab\" ADD n text DEFAULT :'tab';", "ALTER TABLE \"orders\" ADD n text DEFAULT 'orders';"),
        ("\\set s shop\n\\set tab :s '.it''s'\nSELECT :tab;", "SELECT shop.it's;"),
        (
            "\\set n 2\nSELECT ':n', \":n\", $$ :n $$, a[1:n], '1'::n, :m, :n; -- :n",
            "SELECT ':n', \":n\", $$ :n $$, a[1:n], '1'::n, :m, 2; -- :n",
        ),
        ("\\set n 1\n\\set n 2\nSELECT :n;", "SELECT 2;"),
        ("\\set n 1\n\\unset n\nSELECT :n;", "SELECT :n;"),
        ("\\set n `date`\nSELECT :n;", "SELECT :n;"),
        ("\\set n :other\nSELECT :n;", "SELECT :n;"),
        ("\\set n 1\n\\if :x\n\\set n 2\n\\endif\nSELECT :n;", "SELECT :n;"),
        ("\\set n 1\nSELECT 2 AS n \\gset\nSELECT :n;", "SELECT :n;"),
    ],
)
def test_variables_have_the_values_that_the_file_sets(script: str, filled: str) -> None:
    assert fill_variables(script).splitlines()[-1] == filled
    assert len(fill_variables(script).splitlines()) == len(script.splitlines())
