"""The JSON Schema of the configuration: it is up to date, and agrees with the reader of the configuration."""

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from migsafe.configuration import read_configuration
from migsafe.configuration.schema import FILE, PROJECT_FILE, SITE, configuration_schema, project_schema, schema_files
from migsafe.errors import ConfigError
from migsafe.linting.rulebook import shipped_rules

ROOT = Path(__file__).parents[1]
RULES = [rule.name for rule in shipped_rules()]
VALIDATOR = jsonschema.Draft7Validator(configuration_schema(RULES))
[DOCUMENTED] = [
    block.partition("```")[0]
    for block in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8").split("```toml\n")
    if block.startswith("[tool.migsafe]\nmigrations")
]


def test_the_files_are_those_of_the_types() -> None:
    for name, text in schema_files(RULES).items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, "run `python -m migsafe.documentation`"
    for schema in (configuration_schema(RULES), project_schema()):
        jsonschema.Draft7Validator.check_schema(schema)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == SITE
    assert (configuration_schema(RULES)["$id"], project_schema()["$id"]) == (SITE + FILE, SITE + PROJECT_FILE)


def test_every_key_has_a_description() -> None:
    def undescribed(schema: dict[str, Any]) -> list[str]:
        properties = schema.get("properties", {})
        return [name for name, value in properties.items() if "description" not in value] + [
            name for value in properties.values() for name in undescribed(value.get("items", value))
        ]

    assert undescribed(configuration_schema(RULES)) == []


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(tomllib.loads((ROOT / "fixtures/shop_application/migsafe.toml").read_text(encoding="utf-8")), id="fixture"),
        pytest.param(tomllib.loads(DOCUMENTED)["tool"]["migsafe"], id="documentation"),
    ],
)
def test_sample_configurations_are_valid(table: dict[str, Any]) -> None:
    VALIDATOR.validate(table)


@pytest.mark.parametrize(
    ("toml", "valid"),
    [
        ("pg-versoin = 17", False),
        ("pg-version = 9", False),
        ("fail-on = 'sometimes'", False),
        ("ignore = ['rule-of-the-team']", True),
        ("severity.drop-table = 'info'", True),
        ("severity.drop-table = 'bad'", False),
        ("slo.blocked = '5'", False),
        ("slo.blocked = 5", False),
        ("slo.blocked = '1.5 s'", True),
        ("slo.hold = '0'", True),
        ("lock-timeout = '500'", True),
        ("lock-timeout = 'soon'", False),
        ("slo.rows-lost = -1", False),
        ("per-path = [{ ignore = [] }]", False),
        ("custom-runner.order = 'date'", False),
        ("custom-runner.out-of-order = 'skips'", True),
        ("folder = '.'", False),
    ],
)
def test_the_schema_agrees_with_the_reader(toml: str, valid: bool, tmp_path: Path) -> None:
    assert VALIDATOR.is_valid(tomllib.loads(toml)) is valid
    path = tmp_path / "migsafe.toml"
    path.write_text(toml)
    if valid:
        read_configuration(path)
    else:
        with pytest.raises(ConfigError):
            read_configuration(path)
