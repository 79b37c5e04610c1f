"""Each operation class has an entry in each table of the engine, or a reason why it needs none."""

from collections.abc import Callable
from typing import Any

import pytest

from migsafe.linting.reruns.operation_uses import object_uses
from migsafe.linting.reruns.registry import OBJECT_USES
from migsafe.prediction.effects.catalogue import predict_effects
from migsafe.prediction.effects.registry import EFFECTS
from migsafe.schema.application import apply_operation
from migsafe.schema.changes import SCHEMA_CHANGES
from migsafe.sql import operations as sql
from migsafe.sql.operation_table import OperationTable, UnregisteredOperationError, operation_classes
from migsafe.sql.operations import Operation
from migsafe.text import Span

# The modules that fill the tables.
FILLED: dict[OperationTable[Any], Callable[..., object]] = {EFFECTS: predict_effects, SCHEMA_CHANGES: apply_operation, OBJECT_USES: object_uses}
tables = pytest.mark.parametrize("table", FILLED, ids=lambda table: table.aspect)


class Unregistered(Operation, frozen=True):
    """An operation that no table knows."""


def test_every_kind_of_operation_is_found() -> None:
    classes = set(operation_classes())
    assert {sql.CreateIndex, sql.AddColumn, sql.Begin, sql.SetVariable, sql.Broken} <= classes
    assert not {Operation, sql.AlterRelation, sql.SessionControl, sql.TransactionControl, sql.SessionSetting, Unregistered} & classes


@tables
def test_each_operation_has_an_entry(table: OperationTable[Any]) -> None:
    table.check()
    assert [kind for kind in operation_classes() if table.reason(kind) == ""] == []


@tables
def test_an_operation_without_an_entry_is_an_error(table: OperationTable[Any]) -> None:
    with pytest.raises(UnregisteredOperationError, match=f"table of {table.aspect} for Unregistered"):
        table.handler(Unregistered(span=Span(0, 0)))


@tables
def test_a_new_operation_class_fails_the_check(table: OperationTable[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migsafe.sql.operation_table.operation_classes", lambda: [*operation_classes(), Unregistered])
    with pytest.raises(UnregisteredOperationError, match="Unregistered"):
        table.check()


def test_a_handler_and_a_reason_for_none_contradict_each_other() -> None:
    table = OperationTable[Callable[..., Any]]("everything")
    table.register_none("no reason", Operation)
    table.register(sql.Begin)(print)
    table.check()
    table.register_none("no reason", sql.Begin)
    with pytest.raises(UnregisteredOperationError, match="Begin"):
        table.check()
    with pytest.raises(UnregisteredOperationError, match="twice"):
        table.register(sql.Begin)(print)
