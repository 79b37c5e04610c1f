"""A schema that is a template without a value, beside tables whose schema is known."""

from pathlib import Path

import pytest

from migsafe import lint

TABLE = "CREATE TABLE loans (id bigint PRIMARY KEY, due date);\n"
ADDED = "ALTER TABLE ${app}.loans ADD COLUMN note text;\n"


def reported(folder: Path, files: dict[str, str]) -> list[tuple[str, str]]:
    """Returns the messages and the help of `opaque-code` about these files."""
    for name, text in files.items():
        (folder / name).write_text(text)
    findings = lint([str(folder)]).findings
    return [(finding.message, finding.help) for finding in findings if finding.rule == "opaque-code"]


def test_a_schema_without_a_value_is_reported_once(tmp_path: Path) -> None:
    files = {"V1__loans.sql": TABLE, "V2__note.sql": ADDED, "V3__note.sql": "DROP TABLE ${app}.loans;\n"}
    ((message, help),) = reported(tmp_path, files)
    assert message == (
        "${app} has no value, neither in the settings of the project nor in the configuration: migsafe does not know that ${app}.loans may be "
        "public.loans, and judges the statement without what it knows of the table; the same is true of 1 other migration"
    )
    assert help == '[tool.migsafe.template-values]\napp = "public"'


def test_templates_of_other_runners_are_reported(tmp_path: Path) -> None:
    files = {"1_loans.sql": TABLE, "2_note.sql": "ALTER TABLE {{ .Values.schema }}.loans ADD COLUMN note text;\n"}
    ((_, help),) = reported(tmp_path, files)
    assert help == '[tool.migsafe.template-values]\n"Values.schema" = "public"'


@pytest.mark.parametrize(
    "files",
    [
        {"V1__loans.sql": TABLE, "V2__note.sql": ADDED, "flyway.conf": "flyway.placeholders.app=public\n"},
        {"V1__loans.sql": TABLE.replace("loans", "${app}.loans"), "V2__note.sql": ADDED},
        {"V1__loans.sql": TABLE, "V2__fees.sql": ADDED.replace("loans", "fees")},
        {"V1__loans.sql": TABLE, "V2__note.sql": "COMMENT ON TABLE loans IS '${app}.loans'; GRANT SELECT ON loans TO ${reader};\n"},
    ],
)
def test_a_schema_that_is_the_same_everywhere_is_not(tmp_path: Path, files: dict[str, str]) -> None:
    assert reported(tmp_path, files) == []
