from pathlib import Path

import pytest

from migsafe.errors import ConfigError
from migsafe.linting.rulebook import Rulebook, choose_rules, load_rules, shipped_rules
from migsafe.sql.operations import AddColumn, AlterRelation, CreateIndex, DropColumn

OWN_RULE = '''"""Our tables keep their columns."""

from migsafe.linting.rule import Context, Finding, Severity, rule
from migsafe.sql.operations import {operation}


@rule(category="ours", severity=Severity.WARNING)
def columns_stay(op: {operation}, at: Context) -> Finding | None:
    return at.finding(op, "ask the architects first")
'''


def own_rule(folder: Path, operation: str) -> Rulebook:
    (folder / "columns").mkdir()
    (folder / "columns" / "columns_stay.py").write_text(OWN_RULE.format(operation=operation))
    return Rulebook(load_rules(folder, f"own_{folder.name}"))


def test_a_rule_is_named_after_its_function_and_documented_by_its_file(tmp_path: Path) -> None:
    [rule] = own_rule(tmp_path, "DropColumn").rules
    assert (rule.name, rule.category, rule.summary) == ("columns-stay", "ours", "Our tables keep their columns.")


def test_an_annotation_with_a_base_class_stands_for_every_operation_of_that_kind(tmp_path: Path) -> None:
    rules = own_rule(tmp_path, "AlterRelation")
    assert AlterRelation in rules.rules[0].operations
    assert rules[AddColumn]
    assert rules[DropColumn]
    assert not rules[CreateIndex]


def test_selecting_and_ignoring() -> None:
    rules = shipped_rules()
    assert [rule.name for rule in choose_rules(rules, select=["drop-table"])] == ["drop-table"]
    assert "drop-table" not in [rule.name for rule in choose_rules(rules, ignore=["drop-table"])]
    assert choose_rules(rules) == [rule for rule in rules if not rule.off]


def test_a_misspelt_rule_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"there is no rule drop-tables\n  Did you mean drop-table\?"):
        choose_rules(shipped_rules(), ignore=["drop-tables"])


def test_a_category_is_answered_with_its_rules() -> None:
    with pytest.raises(ConfigError, match=r"queries is a category, not a rule\n  Its rules: insert-breaks, query-breaks, "):
        choose_rules(shipped_rules(), ["queries"])
