"""The operations on objects other than tables: views, functions, types, triggers, roles…"""

from msgspec import Struct

from migsafe.sql.operations.tables import Column, Constraint, Persistence
from migsafe.sql.operations.values import Expression, Name, Operation, Option, Query, TypeName
from migsafe.text import Span


class CreateView(Operation, frozen=True, kw_only=True):
    """CREATE VIEW."""

    view: Name
    query: Query
    columns: tuple[str, ...] = ()
    or_replace: bool = False
    temporary: bool = False
    recursive: bool = False
    options: tuple[Option, ...] = ()
    check_option: str | None = None


class CreateMaterializedView(Operation, frozen=True, kw_only=True):
    """CREATE MATERIALIZED VIEW."""

    view: Name
    query: Query
    columns: tuple[str, ...] = ()
    if_not_exists: bool = False
    with_data: bool = True
    unlogged: bool = False
    method: str | None = None
    options: tuple[Option, ...] = ()
    tablespace: str | None = None


class RefreshMaterializedView(Operation, frozen=True, kw_only=True):
    """REFRESH MATERIALIZED VIEW."""

    view: Name
    concurrently: bool = False
    with_data: bool = True


class CreateSequence(Operation, frozen=True, kw_only=True):
    """CREATE SEQUENCE. `owned_by` is `table.column` (OWNED BY NONE: None, as without the clause)."""

    sequence: Name
    options: tuple[Option, ...] = ()
    owned_by: Name | None = None
    persistence: Persistence = Persistence.PERMANENT
    if_not_exists: bool = False


class AlterSequence(Operation, frozen=True, kw_only=True):
    """ALTER SEQUENCE with options; RENAME, OWNER TO and SET SCHEMA are other operations."""

    sequence: Name
    options: tuple[Option, ...] = ()
    owned_by: Name | None = None
    if_exists: bool = False


class CreateEnum(Operation, frozen=True, kw_only=True):
    """CREATE TYPE … AS ENUM."""

    type: Name
    values: tuple[str, ...]


class AddEnumValue(Operation, frozen=True, kw_only=True):
    """ALTER TYPE … ADD VALUE. `before` and `after` name the neighbour; both are None if the value is added at the end."""

    type: Name
    value: str
    if_not_exists: bool = False
    before: str | None = None
    after: str | None = None


class RenameEnumValue(Operation, frozen=True, kw_only=True):
    """ALTER TYPE … RENAME VALUE."""

    type: Name
    value: str
    new_name: str


class CreateCompositeType(Operation, frozen=True, kw_only=True):
    """CREATE TYPE … AS (…)."""

    type: Name
    attributes: tuple[Column, ...]


class AlterCompositeType(Operation, frozen=True, kw_only=True):
    """One ADD, DROP or ALTER ATTRIBUTE (`action`: `add`, `drop`, `alter`) of ALTER TYPE."""

    type: Name
    action: str
    attribute: str
    data_type: TypeName | None = None
    if_exists: bool = False
    cascade: bool = False


class CreateDomain(Operation, frozen=True, kw_only=True):
    """CREATE DOMAIN."""

    domain: Name
    type: TypeName
    collation: Name | None = None
    default: Expression | None = None
    not_null: bool = False
    constraints: tuple[Constraint, ...] = ()


class AlterDomain(Operation, frozen=True, kw_only=True):
    """ALTER DOMAIN: `action` is `set default`, `drop default`, `set not null`, `drop not null`, `add constraint`, `drop constraint` or
    `validate constraint`; the other fields are the parameters of the action."""

    domain: Name
    action: str
    default: Expression | None = None
    constraint: Constraint | None = None
    constraint_name: str | None = None
    if_exists: bool = False
    cascade: bool = False


class CreateSchema(Operation, frozen=True, kw_only=True):
    """CREATE SCHEMA. The objects that it creates are operations of their own."""

    schema: str | None
    if_not_exists: bool = False
    owner: str | None = None


class CreateExtension(Operation, frozen=True, kw_only=True):
    """CREATE EXTENSION."""

    extension: str
    if_not_exists: bool = False
    schema: str | None = None
    version: str | None = None
    cascade: bool = False


class Argument(Struct, frozen=True, kw_only=True):
    """A function's argument: `mode` is `in`, `out`, `inout`, `variadic`, or `table` for a column of RETURNS TABLE."""

    type: TypeName
    name: str | None = None
    mode: str = "in"
    default: Expression | None = None


class CreateFunction(Operation, frozen=True, kw_only=True):
    """CREATE FUNCTION or PROCEDURE (`kind`).

    Creating it does not run its body, so the body is kept and not parsed: `body` is its place in the script, `code` its text, None for
    compiled code. `is_standard`: it has the form of the SQL standard (RETURN, BEGIN ATOMIC), so that PostgreSQL resolves its names now.
    `volatility` is `volatile`, `stable` or `immutable`; None if the statement names none, which means volatile.
    """

    kind: str
    function: Name
    arguments: tuple[Argument, ...] = ()
    returns: TypeName | None = None
    or_replace: bool = False
    language: str | None = None
    volatility: str | None = None
    body: Span | None = None
    options: tuple[Option, ...] = ()
    code: str | None = None
    is_standard: bool = False


class CreateTrigger(Operation, frozen=True, kw_only=True):
    """CREATE TRIGGER."""

    trigger: str
    table: Name
    timing: str
    """`before`, `after` or `instead of`."""
    events: tuple[str, ...]
    function: Name
    or_replace: bool = False
    constraint: bool = False
    row: bool = False
    columns: tuple[str, ...] = ()
    references: Name | None = None
    deferrable: bool | None = None
    initially_deferred: bool | None = None
    when: Expression | None = None
    transition_tables: tuple[str, ...] = ()
    """Which of `old` and `new` REFERENCING gives a name."""


class CreateRule(Operation, frozen=True, kw_only=True):
    """CREATE RULE. `event` is `select`, `insert`, `update` or `delete`. Its `actions` run later, so they are not operations of the
    statement; `reads` are the relations in its condition and in the queries of its actions, `body` is the text of both."""

    rule: str
    table: Name
    event: str
    or_replace: bool = False
    instead: bool = False
    actions: tuple[Operation, ...] = ()
    reads: tuple[Name, ...] = ()
    body: str = ""


class CreatePolicy(Operation, frozen=True, kw_only=True):
    """CREATE POLICY."""

    policy: str
    table: Name
    permissive: bool = True
    command: str = "all"
    roles: tuple[str, ...] = ()
    using: Expression | None = None
    check: Expression | None = None


class AlterPolicy(Operation, frozen=True, kw_only=True):
    """ALTER POLICY, other than a rename."""

    policy: str
    table: Name
    roles: tuple[str, ...] = ()
    using: Expression | None = None
    check: Expression | None = None


class CreateStatistics(Operation, frozen=True, kw_only=True):
    """CREATE STATISTICS. `name` is None if PostgreSQL chooses it; `keys` are its columns and expressions, as written."""

    name: Name | None
    tables: tuple[Name, ...]
    kinds: tuple[str, ...] = ()
    keys: str = ""
    if_not_exists: bool = False


class PublishedTable(Struct, frozen=True):
    """A table of a publication: its column list, empty without one, and its row filter."""

    name: Name
    columns: tuple[str, ...] = ()
    filter: Expression | None = None


class Publication(Operation, frozen=True, kw_only=True):
    """CREATE PUBLICATION (`action` `create`), or ALTER PUBLICATION (`add`, `set`, `drop` of objects, `options`). `only`: the tables
    with ONLY. `limited` are the tables with a column list or a row filter, `excluded` those that FOR ALL TABLES leaves out."""

    publication: str
    action: str
    tables: tuple[Name, ...] = ()
    schemas: tuple[str, ...] = ()
    all_tables: bool = False
    options: tuple[Option, ...] = ()
    only: tuple[Name, ...] = ()
    limited: tuple[PublishedTable, ...] = ()
    excluded: tuple[Name, ...] = ()


class CreateObject(Operation, frozen=True, kw_only=True):
    """CREATE of an object of which migsafe needs only the name: an aggregate, an operator, a cast, a role, a database, a server…

    `kind` is SQL's word in lower case. `name` is None if the object has none (a cast, a transform, a user mapping); then `detail` identifies
    it (`(int as text)`, `for app server films`). `options` are those of a subscription or a collation, `function` is that of an event
    trigger.
    """

    kind: str
    name: Name | None
    or_replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    detail: str = ""
    options: tuple[Option, ...] = ()
    function: Name | None = None


class AlterObject(Operation, frozen=True, kw_only=True):
    """ALTER of an object of which migsafe needs only the words: `action` is the rest of the statement's first words, in lower case
    (`set statistics`, `add mapping`, `owner`…). `options` are those of a subscription, or of foreign data objects; `table` is the table
    of a trigger. `setting` is what ALTER ROLE or DATABASE sets for new sessions: the variable (None for all), its value (None: the default)."""

    kind: str
    name: Name | None
    action: str
    if_exists: bool = False
    detail: str = ""
    options: tuple[Option, ...] = ()
    table: Name | None = None
    setting: tuple[str | None, str | None] | None = None


class Drop(Operation, frozen=True, kw_only=True):
    """DROP of one or more objects of a `kind` (SQL's words in lower case: `table`, `materialized view`, `text search parser`…).

    `names` are the objects; a trigger, rule or policy also has its `table`. `detail` identifies a cast, a transform or a user mapping,
    which have no name; `arguments` has the argument types of each routine as written, None if none were written.
    """

    kind: str
    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False
    concurrently: bool = False
    table: Name | None = None
    arguments: tuple[str | None, ...] = ()
    detail: str = ""


class Rename(Operation, frozen=True, kw_only=True):
    """RENAME TO of any object. `kind` as in Drop; `table` if the object belongs to one."""

    kind: str
    name: Name
    new_name: str
    if_exists: bool = False
    table: Name | None = None


class SetSchema(Operation, frozen=True, kw_only=True):
    """SET SCHEMA of any object."""

    kind: str
    name: Name
    schema: str
    if_exists: bool = False


class SetOwner(Operation, frozen=True, kw_only=True):
    """OWNER TO of any object."""

    kind: str
    name: Name
    owner: str
    if_exists: bool = False


class Comment(Operation, frozen=True, kw_only=True):
    """COMMENT ON (`provider` None) or SECURITY LABEL ON; `text` is None for IS NULL. `table` if the object belongs to one, for a
    column its relation. `has_arguments`: the parameters of a routine are written."""

    kind: str
    name: Name | None
    text: str | None
    table: Name | None = None
    security_label: bool = False
    provider: str | None = None
    detail: str = ""
    has_arguments: bool = False


class Grant(Operation, frozen=True, kw_only=True):
    """GRANT, or REVOKE if `revoke` is set, on objects of a `kind`; `kind` is `role` for membership.

    `privileges` in lower case (empty for a bare ALL), `objects` the names (schemas for `all tables in schema` etc.), `columns` those to which
    a privilege is limited.
    """

    kind: str
    privileges: tuple[str, ...]
    objects: tuple[Name, ...]
    grantees: tuple[str, ...]
    revoke: bool = False
    grant_option: bool = False
    cascade: bool = False
    columns: tuple[str, ...] = ()


class AlterDefaultPrivileges(Operation, frozen=True, kw_only=True):
    """ALTER DEFAULT PRIVILEGES."""

    kind: str
    privileges: tuple[str, ...]
    grantees: tuple[str, ...]
    schemas: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    revoke: bool = False
