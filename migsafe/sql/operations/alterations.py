"""The operations of ALTER TABLE, which ALTER INDEX, ALTER VIEW and similar statements share."""

from enum import Enum, IntEnum
from typing import ClassVar

from msgspec import Struct

from migsafe.sql.operations.tables import Bound, Column, Constraint, Identity
from migsafe.sql.operations.values import Expression, Name, Operation, Option, TypeName


class Target(Struct, frozen=True, kw_only=True):
    """The relation that an ALTER changes, the same for each of its operations.

    `kind` is the statement's word for it: `table`, `foreign table`, `index`, `view`, `materialized view`, `sequence`. PostgreSQL accepts
    ALTER TABLE for most of them too, so `kind` says what the statement calls the relation, not what the relation is. `only`: ONLY was written.
    """

    kind: str
    name: Name
    only: bool = False
    if_exists: bool = False


class AlterPass(IntEnum):
    """The order in which PostgreSQL runs the parts of one ALTER TABLE, whatever their order in the statement (AlterTablePass in its
    src/backend/commands/tablecmds.c), as far as it makes a difference here."""

    DROP = 0
    ALTER_TYPE = 1
    ADD_COLUMN = 2
    SET_EXPRESSION = 3
    SET_NOT_NULL = 4
    OTHER = 5
    LAST = 6


class AlterRelation(Operation, frozen=True, kw_only=True):
    """The base of the operations of ALTER TABLE, ALTER INDEX, ALTER VIEW, …: `target` is the relation, `alter_pass` says when it runs."""

    alter_pass: ClassVar[AlterPass] = AlterPass.OTHER

    target: Target


class AddColumn(AlterRelation, frozen=True, kw_only=True):
    """ADD COLUMN. The column's own constraints are in `column`. `new_enum`: according to the program that sends it, the type is an enum with
    these values."""

    alter_pass: ClassVar[AlterPass] = AlterPass.ADD_COLUMN

    column: Column
    if_not_exists: bool = False
    new_enum: tuple[str, ...] = ()


class DropColumn(AlterRelation, frozen=True, kw_only=True):
    """DROP COLUMN."""

    alter_pass: ClassVar[AlterPass] = AlterPass.DROP

    column: str
    if_exists: bool = False
    cascade: bool = False


class AlterColumnType(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … TYPE. `new_enum` as in AddColumn."""

    alter_pass: ClassVar[AlterPass] = AlterPass.ALTER_TYPE

    column: str
    type: TypeName
    collation: Name | None = None
    using: Expression | None = None
    new_enum: tuple[str, ...] = ()


class SetDefault(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET DEFAULT."""

    column: str
    default: Expression


class DropDefault(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … DROP DEFAULT."""

    alter_pass: ClassVar[AlterPass] = AlterPass.DROP

    column: str


class SetNotNull(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET NOT NULL."""

    alter_pass: ClassVar[AlterPass] = AlterPass.SET_NOT_NULL

    column: str


class DropNotNull(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … DROP NOT NULL."""

    alter_pass: ClassVar[AlterPass] = AlterPass.DROP

    column: str


class SetExpression(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET EXPRESSION AS (…) (PostgreSQL 17)."""

    alter_pass: ClassVar[AlterPass] = AlterPass.SET_EXPRESSION

    column: str
    expression: Expression


class DropExpression(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … DROP EXPRESSION."""

    alter_pass: ClassVar[AlterPass] = AlterPass.DROP

    column: str
    if_exists: bool = False


class AddIdentity(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … ADD GENERATED … AS IDENTITY."""

    column: str
    identity: Identity


class SetIdentity(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET GENERATED …, SET INCREMENT …, RESTART… `always` is None if the statement keeps the kind of generation."""

    column: str
    always: bool | None
    options: tuple[Option, ...] = ()


class DropIdentity(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … DROP IDENTITY."""

    alter_pass: ClassVar[AlterPass] = AlterPass.DROP

    column: str
    if_exists: bool = False


class SetStatistics(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET STATISTICS. An index's expression is named by its number."""

    column: str
    value: str


class SetStorage(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET STORAGE."""

    column: str
    storage: str


class SetCompression(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET COMPRESSION."""

    column: str
    method: str


class SetColumnOptions(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … SET (n_distinct = …), and a foreign table's column OPTIONS (…), which sets `foreign`."""

    column: str
    options: tuple[Option, ...]
    foreign: bool = False


class ResetColumnOptions(AlterRelation, frozen=True, kw_only=True):
    """ALTER COLUMN … RESET (…)."""

    column: str
    options: tuple[Option, ...]


class AddConstraint(AlterRelation, frozen=True, kw_only=True):
    """ADD CONSTRAINT, with or without a name."""

    constraint: Constraint


class AlterConstraint(AlterRelation, frozen=True, kw_only=True):
    """ALTER CONSTRAINT. A field is None if the statement does not set it. `inherited_by_children`: INHERIT, or NO INHERIT (PostgreSQL 18)."""

    alter_pass: ClassVar[AlterPass] = AlterPass.LAST

    constraint: str
    deferrable: bool | None = None
    initially_deferred: bool | None = None
    enforced: bool | None = None
    inherited_by_children: bool | None = None


class ValidateConstraint(AlterRelation, frozen=True, kw_only=True):
    """VALIDATE CONSTRAINT."""

    alter_pass: ClassVar[AlterPass] = AlterPass.LAST

    constraint: str


class DropConstraint(AlterRelation, frozen=True, kw_only=True):
    """DROP CONSTRAINT."""

    alter_pass: ClassVar[AlterPass] = AlterPass.DROP

    constraint: str
    if_exists: bool = False
    cascade: bool = False


class Firing(Enum):
    """When a trigger or a rule fires."""

    ENABLE = "enable"
    DISABLE = "disable"
    ALWAYS = "enable always"
    REPLICA = "enable replica"


class SetTrigger(AlterRelation, frozen=True, kw_only=True):
    """ENABLE or DISABLE TRIGGER. `trigger` is None for ALL and for USER, which sets `user`."""

    firing: Firing
    trigger: str | None
    user: bool = False


class SetRule(AlterRelation, frozen=True, kw_only=True):
    """ENABLE or DISABLE RULE."""

    firing: Firing
    rule: str


class SetRowSecurity(AlterRelation, frozen=True, kw_only=True):
    """ENABLE, DISABLE, FORCE or NO FORCE ROW LEVEL SECURITY (`action`, in lower case)."""

    action: str


class ClusterOn(AlterRelation, frozen=True, kw_only=True):
    """CLUSTER ON index; SET WITHOUT CLUSTER if `index` is None."""

    alter_pass: ClassVar[AlterPass] = AlterPass.LAST

    index: str | None


class SetWithoutOids(AlterRelation, frozen=True):
    """SET WITHOUT OIDS, which does nothing since PostgreSQL 12."""


class SetAccessMethod(AlterRelation, frozen=True, kw_only=True):
    """SET ACCESS METHOD; None is DEFAULT."""

    alter_pass: ClassVar[AlterPass] = AlterPass.LAST

    method: str | None


class SetTablespace(AlterRelation, frozen=True, kw_only=True):
    """SET TABLESPACE."""

    alter_pass: ClassVar[AlterPass] = AlterPass.LAST

    tablespace: str


class MoveAllInTablespace(Operation, frozen=True, kw_only=True):
    """ALTER TABLE, INDEX or MATERIALIZED VIEW ALL IN TABLESPACE … SET TABLESPACE …"""

    kind: str
    source: str
    destination: str
    owners: tuple[str, ...] = ()
    nowait: bool = False


class SetLogged(AlterRelation, frozen=True, kw_only=True):
    """SET LOGGED, SET UNLOGGED."""

    alter_pass: ClassVar[AlterPass] = AlterPass.LAST

    logged: bool


class SetOptions(AlterRelation, frozen=True, kw_only=True):
    """SET (fillfactor = …), RESET (…) (`reset`), and a foreign table's OPTIONS (…) (`foreign`)."""

    options: tuple[Option, ...]
    reset: bool = False
    foreign: bool = False


class Inherit(AlterRelation, frozen=True, kw_only=True):
    """INHERIT parent."""

    parent: Name


class NoInherit(AlterRelation, frozen=True, kw_only=True):
    """NO INHERIT parent."""

    parent: Name


class SetOfType(AlterRelation, frozen=True, kw_only=True):
    """OF type; NOT OF if `type` is None."""

    type: Name | None


class SetReplicaIdentity(AlterRelation, frozen=True, kw_only=True):
    """REPLICA IDENTITY `default`, `full`, `nothing`, or `index` (then `index` names it)."""

    alter_pass: ClassVar[AlterPass] = AlterPass.LAST

    identity: str
    index: str | None = None


class AttachPartition(AlterRelation, frozen=True, kw_only=True):
    """ATTACH PARTITION. `bound` is None for an index's partition."""

    partition: Name
    bound: Bound | None = None


class DetachPartition(AlterRelation, frozen=True, kw_only=True):
    """DETACH PARTITION."""

    partition: Name
    concurrently: bool = False
    finalize: bool = False


class MergePartitions(AlterRelation, frozen=True, kw_only=True):
    """MERGE PARTITIONS: the new partition `into` gets the rows of the `partitions`, which are dropped."""

    partitions: tuple[Name, ...]
    into: Name


class SplitPartition(AlterRelation, frozen=True, kw_only=True):
    """SPLIT PARTITION: the new partitions `into` get the rows of `partition`, which is dropped."""

    partition: Name
    into: tuple[tuple[Name, Bound], ...]


class RenameColumn(AlterRelation, frozen=True, kw_only=True):
    """RENAME COLUMN, with or without the word COLUMN; a composite type's attribute if the target's kind is `type`."""

    column: str
    new_name: str
    cascade: bool = False


class RenameConstraint(AlterRelation, frozen=True, kw_only=True):
    """RENAME CONSTRAINT; of a domain if the target's kind is `domain`."""

    constraint: str
    new_name: str
