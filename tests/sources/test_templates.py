"""Values from the configuration in the templates of SQL files, and one history in several folders."""

from pathlib import Path

import pytest

from migsafe.configuration import Configuration, read_configuration
from migsafe.library.lint import lint
from migsafe.sources import CustomRunner, SourceSettings, find_migrations


def test_templates_have_the_values_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    sql = "CREATE TABLE {{ schema }}.a (id bigint PRIMARY KEY);\nDROP TABLE ${schema}.b;\nDROP TABLE {{.schema}}.c, {{ other }}.d;\n"
    Path("1.sql").write_text(sql)
    Path("migsafe.toml").write_text("select = ['drop-table']\n[template-values]\nschema = 'shop'\n")
    verdict = lint(["1.sql"], settings=read_configuration())
    found = [(finding.rule, finding.script.position(finding.span.start).line, finding.relations) for finding in verdict.findings]
    # The template without a value stays.
    assert found == [("drop-table", 2, ("shop.b",)), ("drop-table", 3, ("shop.c", "{{ other }}.d"))]


def test_a_value_is_text() -> None:
    assert Configuration(template_values={"schema": "shop"}).sources.template_values == {"schema": "shop"}


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("number", ["a/V2.sql", "a/V10.sql", "b/V1.sql"]),
        ("file-number", ["b/V1.sql", "a/V2.sql", "a/V10.sql"]),
        ("file-name", ["b/V1.sql", "a/V10.sql", "a/V2.sql"]),
    ],
)
def test_a_custom_runner_orders_several_folders(order: str, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("SELECT 1;")
    plan = find_migrations(["."], SourceSettings(custom=CustomRunner(files="**/*.sql", order=order)))
    assert [migration.up.script.path for migration in plan.migrations] == names
