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


def test_templates_of_runners_have_the_values_of_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("1.sql").write_text("-- !Ups\nDROP TABLE $evolutions{{{schema}}}.b;\nSELECT $1::INT, a[1:SCHEMA], :'SCHEMA';\n")
    Path("2.sql").write_text("DROP TABLE :SCHEMA.b; SELECT x::SCHEMA;")
    settings = SourceSettings(template_values={"schema": "shop", "SCHEMA": "shop"})
    (evolution,) = find_migrations(["1.sql"], settings).migrations
    assert evolution.up.script.text.startswith("-- !Ups\nDROP TABLE shop.b;\nSELECT $1::INT, a[1:SCHEMA], :'SCHEMA';")
    (file,) = find_migrations(["2.sql"], settings).migrations
    assert file.up.script.text == "DROP TABLE shop.b; SELECT x::SCHEMA;"


def test_graphile_migrate_has_names_for_placeholders(tmp_path: Path) -> None:
    (tmp_path / "committed").mkdir()
    text = "--! Previous: -\n\nGRANT USAGE ON SCHEMA a TO :DATABASE_VISITOR; SELECT 'x:Y', a::INT;\n"
    (tmp_path / "committed/000001.sql").write_text(text)
    (migration,) = find_migrations([str(tmp_path)]).migrations
    assert migration.up.script.text == text.replace(":DATABASE_VISITOR", " database_visitor")


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


@pytest.mark.parametrize(
    ("files", "sent"),
    [
        pytest.param({"src/main/resources/application.yml": "spring:\n  flyway:\n    placeholders:\n      Tenant: a\n"}, "a.t", id="Spring"),
        pytest.param({"flyway.toml": "[flyway.placeholders]\ntenant = 'a'\n"}, "a.t", id="flyway.toml"),
        pytest.param({".env": "FLYWAY_PLACEHOLDERS_TENANT=a\n"}, "a.t", id="environment"),
        pytest.param({"flyway.conf": "flyway.placeholders.tenant=${TENANT:-a}\n"}, "a.t", id="a default"),
        pytest.param({"flyway.conf": "flyway.placeholders.tenant=${TENANT}\n"}, "${tenant}.t", id="only known in production"),
        pytest.param({"flyway.conf": "flyway.placeholders.tenant=a\nflyway.placeholderReplacement=false\n"}, "${tenant}.t", id="switched off"),
        pytest.param({"flyway.conf": "flyway.placeholders.tenant=a\nflyway.placeholderPrefix=#{\n"}, "${tenant}.t", id="other marks"),
        pytest.param(
            {
                "src/main/resources/application-dev.properties": "spring.flyway.placeholders.tenant=dev\n",
                "src/main/resources/application-prod.properties": "spring.flyway.placeholders.tenant=a\n",
                "src/main/resources/application.properties": "spring.flyway.placeholders.tenant=b\n",
            },
            "a.t",
            id="the profile of production",
        ),
        pytest.param(
            {"flyway.conf": "flyway.placeholders.tenant=a\n", "migsafe.toml": "[template-values]\ntenant = 'b'\n"}, "b.t", id="configuration"
        ),
    ],
)
def test_placeholders_of_flyway(files: dict[str, str], sent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    folder = "src/main/resources/db/migration"
    for name, text in {**files, f"{folder}/V1__tables.sql": "DROP TABLE ${tenant}.t;\n"}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    plan = find_migrations([folder], read_configuration().sources)
    assert [migration.up.script.text for migration in plan.migrations] == [f"DROP TABLE {sent};\n"]


def test_a_placeholder_can_be_empty_and_name_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    Path("application.yml").write_text(
        "spring:\n  flyway:\n    placeholders:\n      # in production: --\n      skip:\n      names:\n        - a\n    schemas: shop, archive\n"
    )
    Path("V1__tables.sql").write_text("${skip} DROP TABLE ${flyway:defaultSchema}.${names};\n")
    plan = find_migrations(["V1__tables.sql"], read_configuration().sources)
    assert [migration.up.script.text for migration in plan.migrations] == [" DROP TABLE shop.${names};\n"]


def test_a_template_without_a_value_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    Path("1.sql").write_text("${action} TABLE orders;\n{{ .Setup }};\nALTER TABLE orders {{ index .Actions 1 }} b;\n")
    verdict = lint(["1.sql"], settings=read_configuration())
    found = [(finding.rule, finding.message.partition(": ")[2]) for finding in verdict.findings if finding.rule != "lock-timeout-missing"]
    assert found == [
        ("unparsed-statement", "the template action, which has no value in template-values of the configuration, generates a part of it"),
        ("opaque-code", "the template Setup, which has no value in template-values of the configuration, generates this statement"),
        ("unparsed-statement", "a template generates a part of it"),
    ]


def test_spaces_in_a_template_do_not_make_another_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    Path("1.sql").write_text('CREATE TABLE "{{.Schema}}".a (id bigint PRIMARY KEY, n text NOT NULL);\n')
    Path("2.sql").write_text("SET search_path = '{{ .Schema }}';\nALTER TABLE a ALTER n SET NOT NULL;\nDROP TABLE {{- .Schema -}}.a;\n")
    Path("migsafe.toml").write_text("select = ['drop-table', 'set-not-null-scans']\n")
    verdict = lint(["1.sql", "2.sql"], settings=read_configuration())
    assert [(finding.rule, finding.relations) for finding in verdict.findings] == [("drop-table", ("{{ .Schema }}.a",))]
