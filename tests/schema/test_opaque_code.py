"""What is unknown after code whose effect only a database knows."""

import pytest

from migsafe.lock import LockMode
from migsafe.prediction.predictor import Predictor
from migsafe.prediction.statement_prediction import StatementPrediction
from migsafe.schema.extension_functions import extension_function
from migsafe.sources import Transaction
from migsafe.sql.operations import Name
from migsafe.sql.statements import read

TABLES = "CREATE TABLE a (id int, n int CONSTRAINT a_n CHECK (n > 0)); CREATE TABLE b (id int); CREATE INDEX b_id ON b (id);"


def predictions(sql: str) -> tuple[Predictor, list[StatementPrediction]]:
    predictor = Predictor(17)
    predictor.begin(Transaction.STATEMENT)
    for statement in read(TABLES):
        predictor.predict_statement(statement)
    return predictor, [predictor.predict_statement(statement) for statement in read(sql)]


def body(code: str) -> str:
    return f"DO $$ DECLARE x text; BEGIN SELECT conname INTO x FROM pg_constraint; {code}; END $$"


@pytest.mark.parametrize(
    ("code", "lock"),
    [
        ("EXECUTE format('ALTER TABLE a DROP CONSTRAINT %I', x)", LockMode.ACCESS_EXCLUSIVE),
        ("EXECUTE 'ALTER TABLE a DROP CONSTRAINT ' || quote_ident(x)", LockMode.ACCESS_EXCLUSIVE),
        ("EXECUTE format('ALTER TABLE %I ALTER COLUMN id SET DEFAULT %s', 'a', (SELECT max(id) FROM b))", LockMode.ACCESS_EXCLUSIVE),
        ("EXECUTE format('ALTER TABLE a VALIDATE CONSTRAINT %I', x || '_fk')", LockMode.SHARE_UPDATE_EXCLUSIVE),
        ("EXECUTE concat('CREATE INDEX ', x, ' ON a (n)')", LockMode.SHARE),
    ],
)
def test_lock_is_known_if_the_table_is_written(code: str, lock: LockMode) -> None:
    _, [statement] = predictions(body(code))
    assert [(effect.relation, effect.lock) for effect in statement.effects] == [(Name("a", "public"), lock)]
    assert statement.understood


@pytest.mark.parametrize(
    "code",
    [
        "EXECUTE format('ALTER TABLE %I DROP CONSTRAINT a_n', x)",
        "EXECUTE 'ALTER TABLE a_' || x || ' DROP CONSTRAINT a_n'",
        "EXECUTE format('ALTER TABLE a DROP CONSTRAINT %I; DROP TABLE %I', x, x)",
        "EXECUTE x || ' TABLE a DROP CONSTRAINT a_n'",
        "EXECUTE x",
    ],
)
def test_lock_is_unknown_if_the_table_is_not_written(code: str) -> None:
    _, [statement] = predictions(body(code))
    assert statement.effects == ()
    assert not statement.understood


def test_only_the_table_that_is_written_becomes_uncertain() -> None:
    predictor, [_] = predictions(body("EXECUTE format('ALTER TABLE a DROP CONSTRAINT %I', x)"))
    catalog = predictor.catalog
    assert [relation.complete for name in ("a", "b") if (relation := catalog.relation(Name(name)))] == [False, True]


@pytest.mark.parametrize(
    ("sql", "is_refused"),
    [
        ("ALTER TABLE a DROP CONSTRAINT other", False),
        ("ALTER TABLE a ADD CONSTRAINT a_n CHECK (n > 1)", False),
        ("ALTER TABLE a ADD CONSTRAINT c CHECK (n > 1); ALTER TABLE a ADD CONSTRAINT c CHECK (n > 1)", True),
        ("ALTER TABLE b DROP CONSTRAINT other", True),
        ("CREATE INDEX b_id ON b (id)", True),
        ("CREATE TABLE b (id int)", True),
    ],
)
def test_only_certain_refusals_remain(sql: str, is_refused: bool) -> None:
    drop = body("EXECUTE format('ALTER TABLE a DROP CONSTRAINT %I', x)")
    _, statements = predictions(f"{drop}; {sql}")
    assert (statements[-1].refusal is not None) == is_refused


@pytest.mark.parametrize("sql", ["CREATE TABLE a (id int)", "CREATE INDEX b_id ON b (id)", "ALTER TABLE a ADD n int"])
def test_any_code_may_have_dropped_what_is_there(sql: str) -> None:
    _, statements = predictions(f"{body('EXECUTE x')}; {sql}")
    assert statements[-1].refusal is None


@pytest.mark.parametrize(
    ("known", "sql"),
    [
        ("ALTER TABLE a ADD PRIMARY KEY (id)", "ALTER TABLE a ADD PRIMARY KEY (n)"),
        ("CREATE POLICY p ON a USING (true)", "CREATE POLICY p ON a USING (false)"),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT 1'",
        ),
        ("CREATE VIEW v AS SELECT n FROM a", "ALTER TABLE a DROP COLUMN n"),
        ("CREATE VIEW v AS SELECT n FROM a", "ALTER TABLE a ALTER COLUMN n TYPE bigint"),
        ("CREATE TYPE e AS ENUM ('a')", "CREATE TYPE e AS ENUM ('b')"),
    ],
)
def test_any_code_may_have_dropped_what_stands_in_the_way(known: str, sql: str) -> None:
    _, statements = predictions(f"{known}; {body('EXECUTE x')}; {sql}")
    assert statements[-1].refusal is None
    assert predictions(f"{known}; {sql}")[1][-1].refusal is not None


def test_code_that_creates_no_relation_leaves_absent_what_is_absent() -> None:
    predictor, _ = predictions("DROP TABLE b; " + body("EXECUTE format('ALTER TABLE %I RENAME CONSTRAINT %I TO other', x, x)"))
    assert predictor.catalog.is_absent(Name("b"))
    predictor, _ = predictions("DROP TABLE b; " + body("EXECUTE format('ALTER TABLE %I RENAME TO %I', x, x)"))
    assert not predictor.catalog.is_absent(Name("b"))


def test_grants_and_roles_with_unknown_names_leave_everything_known() -> None:
    code = """EXECUTE 'GRANT SELECT ON a TO ' || x; EXECUTE format('CREATE ROLE %I', x); EXECUTE 'ALTER DATABASE ' || x || ' SET a = 1';
        EXECUTE 'ALTER TABLE b OWNER TO ' || x"""
    predictor, [statement] = predictions(body(code))
    assert statement.understood
    assert [(effect.relation.name, effect.lock) for effect in statement.effects] == [("b", LockMode.ACCESS_EXCLUSIVE)]
    assert all(relation.complete for relation in predictor.catalog.relations())


@pytest.mark.parametrize(
    ("created", "is_known"),
    [
        ("format('CREATE TRIGGER touched_%s BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION touch()', t, t)", True),
        ("'create or replace trigger t after insert or update on ' || t", True),
        ("'CREATE TRIGGER t AFTER ' || x || ' ON ' || t || ' FOR EACH STATEMENT EXECUTE FUNCTION touch(' || x || ');'", True),
        ("'CREATE TRIGGER t BEFORE ' || x || ' ON ' || t || ' FOR EACH ROW EXECUTE FUNCTION touch()'", False),
        ("'DROP TRIGGER IF EXISTS t ON ' || t", True),
        ("format('DROP TRIGGER IF EXISTS t ON %1$I; CREATE TRIGGER t AFTER DELETE ON %1$I EXECUTE FUNCTION touch()', t)", True),
        ("format('DROP TRIGGER IF EXISTS t ON %1$I; DROP TABLE %1$I', t)", False),
        ("$sql$CREATE TRIGGER t AFTER DELETE ON $sql$ || t || $sql$ EXECUTE FUNCTION touch()$sql$", True),
        ("format('CREATE TRIGGER t AFTER INSERT ON %I FOR EACH ROW EXECUTE FUNCTION touch();', t)", True),
        ("format('CREATE TRIGGER t BEFORE UPDATE OR INSERT ON %I FOR EACH ROW EXECUTE FUNCTION touch()', t)", False),
        ("format('CREATE TRIGGER t BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE %I ADD n int', t)", False),
    ],
)
def test_triggers_with_unknown_tables_leave_the_columns_known(created: str, is_known: bool) -> None:
    predictor, _ = predictions(body(f"EXECUTE {created}"))
    assert all(relation.complete == is_known for relation in predictor.catalog.relations())
    _, statements = predictions(f"{body(f'EXECUTE {created}')}; DROP TRIGGER touched_a ON a")
    assert statements[-1].refusal is None


AUDIT = """CREATE FUNCTION audit(target regclass, by_row boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE command text; events text = 'INSERT OR UPDATE';
BEGIN
    EXECUTE 'DROP TRIGGER IF EXISTS audit ON ' || target;
    IF by_row THEN
        command = 'CREATE TRIGGER audit AFTER ' || events || ' ON ' || target || ' FOR EACH ROW EXECUTE FUNCTION touch()';
        EXECUTE command; -- command = 'a comment assigns nothing'
        events = 'TRUNCATE';
    END IF;
    command := 'CREATE TRIGGER audit_all AFTER ' || events || ' ON ' || target;
    command := command || ' FOR EACH STATEMENT EXECUTE FUNCTION touch()';
    %s
    EXECUTE command;
END $$;
CREATE FUNCTION audit(target regclass) RETURNS void LANGUAGE sql AS 'SELECT audit($1, true)';
"""


@pytest.mark.parametrize("call", ["audit('a')", "audit('a', true)", "audit(oid) FROM pg_class"])
def test_triggers_that_a_variable_contains_leave_the_columns_known(call: str) -> None:
    predictor, _ = predictions(f"{AUDIT % ''} DROP TABLE b; SELECT {call}")
    assert predictor.catalog.is_absent(Name("b"))
    assert all(relation.complete for relation in predictor.catalog.relations())


@pytest.mark.parametrize(
    "assigned",
    [
        "SELECT code INTO command FROM scripts;",
        "IF by_row THEN command = 'ALTER TABLE ' || target || ' ADD COLUMN n int'; END IF;",
        "command := command || '; ALTER TABLE ' || target || ' ADD COLUMN n int';",
        "command := make_command(target);",
    ],
)
@pytest.mark.parametrize(("call", "incomplete"), [("audit('a')", {"a"}), ("audit(oid) FROM pg_class", {"a", "b"})])
def test_a_variable_may_contain_other_statements(assigned: str, call: str, incomplete: set[str]) -> None:
    predictor, _ = predictions(f"{AUDIT % assigned} SELECT {call}")
    assert {relation.name.name for relation in predictor.catalog.relations() if not relation.complete} == incomplete


@pytest.mark.parametrize(
    ("call", "incomplete"),
    [
        ("CALL unknown()", {"a", "b", "p"}),
        ("CALL unknown('public.a')", {"a"}),
        ("SELECT partman.run_maintenance()", {"p"}),
        ("SELECT partman.run_maintenance('public.p')", {"p"}),
        ("SELECT create_hypertable('a', 'id')", {"a"}),
        ("SELECT addgeometrycolumn('public', 'b', 'place', 4326, 'POINT', 2)", {"b"}),
        ("SELECT unknown('a')", set()),
    ],
)
def test_unknown_call_changes_relations(call: str, incomplete: set[str]) -> None:
    predictor, _ = predictions(f"CREATE TABLE p (id int) PARTITION BY RANGE (id); {call}")
    assert {relation.name.name for relation in predictor.catalog.relations() if not relation.complete} == incomplete


def test_names_that_projects_use_need_the_schema_of_the_extension() -> None:
    assert extension_function(Name("create_partition")) is None
    assert extension_function(Name("create_partition", "partman")) is not None
    assert extension_function(Name("create_parent", "any_schema")) is not None
