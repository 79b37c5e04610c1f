"""Reading the queries of a project's files."""

import json
import subprocess
from pathlib import Path

import pytest

from migsafe.errors import MigsafeError
from migsafe.workload import CallSite, Query, Workload
from migsafe.workload.assessment import Assessor
from migsafe.workload.document import write_document
from migsafe.workload.normal_text import normal_text
from migsafe.workload.reading import read_workload
from tests.workload.assessed import catalog_of


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _read(folder: Path, *paths: str) -> Workload:
    return read_workload([str(folder / path) for path in paths], str(folder))


def _texts(workload: Workload) -> dict[str, str]:
    return {query.places[0].name: query.text for query in workload.queries}


SQLC = """\
-- name: GetOrder :one
SELECT sqlc.embed(o), @note::text FROM orders o /* TEMPLATE: x */ WHERE o.id = $1;

-- name: Recent :many
SELECT id FROM orders WHERE state = 'open' AND customer = sqlc.arg(customer) AND id IN (sqlc.slice('ids'))
  AND (sqlc.narg(customer)::int IS NULL OR total > 5);

-- name: Setup :exec
CREATE TABLE scratch (id int);
"""


@pytest.mark.parametrize("configuration", [
    'version: "2"\nsql:\n  - engine: postgresql   # ours\n    queries: ["sql", "more/*.sql"]\n    schema: schema.sql\n'
    "    gen:\n      go:\n        out: db\n  - engine: mysql\n    queries: other.sql\n",
    "version: 1\npackages:\n- name: db\n  queries:\n  - sql/a.sql\n  - more\n  schema: schema.sql\n"
    "- path: x\n  engine: mysql\n  queries: other.sql\n",
    'version: "2"\nsql:\n  - &first\n    engine: &engine postgresql\n    queries: sql\n    schema: schema.sql\n'
    "    gen: &gen\n      go: {}\n  - <<: *first\n    queries: more\n  - queries: other.sql\n    engine: mysql\n"
    "  - {<<: *first}\n  - <<: [*first]\n    engine: *engine\n    queries: [more/b.sql]\n",
])  # fmt: skip
def test_sqlc(tmp_path: Path, configuration: str) -> None:
    _write(
        tmp_path,
        sqlcDOTyaml=configuration,
        sql__aDOTsql=SQLC,
        more__bDOTsql="-- name: Touch :exec\nUPDATE orders SET seen = now()",
        otherDOTsql="-- name: Other :one\nSELECT `a` FROM t",
        schemaDOTsql="INSERT INTO orders VALUES (1)",
    )
    expected = {
        "GetOrder": "SELECT o.*, $1::text FROM orders o WHERE o.id = $2",
        "Recent": "SELECT id FROM orders WHERE state = 'open' AND customer = $1 AND id IN ($2) AND ($1::int IS NULL OR total > 5)",
        "Touch": "UPDATE orders SET seen = now()",
    }
    for path in ("sqlc.yaml", "."):
        workload = _read(tmp_path, path)
        assert _texts(workload) == expected
        assert workload.queries[1].places == (CallSite("sql/a.sql", 4, "Recent"),)
        assert workload.unread == ()


def test_sqlc_as_json(tmp_path: Path) -> None:
    parts = [{"engine": "postgresql", "queries": "q.sql"}, {"engine": "sqlite", "queries": "q.sql"}]
    _write(tmp_path, sqlcDOTjson=json.dumps({"version": "2", "sql": parts}), qDOTsql=SQLC)
    assert len(_read(tmp_path, "sqlc.json").queries) == 2
    _write(tmp_path, sqlcDOTjson="{")
    with pytest.raises(MigsafeError, match=r"sqlc\.json: is not valid JSON"):
        _read(tmp_path, "sqlc.json")


def test_sqlx_has_types_and_finds_its_macros(tmp_path: Path) -> None:
    text = "SELECT id FROM users WHERE email = $1 AND role = $2 AND ids = $3"
    types = {"Left": ["Text", {"Custom": {"name": "user_role", "kind": {"Enum": ["a"]}}}, "Int4Array"]}
    _write(
        tmp_path,
        **{"DOTsqlx__query-0aDOTjson": json.dumps({"db_name": "PostgreSQL", "query": text, "describe": {"parameters": types}})},
        **{"DOTsqlx__query-0bDOTjson": json.dumps({"db_name": "MySQL", "query": "SELECT `a` FROM t"})},
        **{"DOTsqlx__query-0cDOTjson": json.dumps({"db_name": "PostgreSQL", "query": "ALTER SEQUENCE s RESTART", "describe": {}})},
        src__userDOTrs=f'fn find() {{\n    // here\n    sqlx::query_as!(\n        User,\n        r#"{text}"#,\n        email, role)\n}}\n',
    )
    [query] = _read(tmp_path, ".").queries
    assert query.text == text
    assert query.parameters == ("text", "user_role", "integer[]")
    assert query.places == (CallSite("src/user.rs", 3, "find"),)


def test_a_query_of_sqlx_without_a_macro_is_where_its_text_is(tmp_path: Path) -> None:
    entry = {"db_name": "PostgreSQL", "query": "SELECT id FROM users", "describe": {}}
    _write(tmp_path, **{"DOTsqlx__query-0aDOTjson": json.dumps(entry, indent=2)})
    [query] = _read(tmp_path, ".").queries
    assert query.places == (CallSite(".sqlx/query-0a.json", 3),)


def test_the_old_file_of_sqlx(tmp_path: Path) -> None:
    entry = {"query": "SELECT 1 FROM t WHERE a = $1", "describe": {"parameters": {"Left": ["Int8"]}}}
    _write(tmp_path, **{"sqlx-dataDOTjson": json.dumps({"db": "PostgreSQL", "ab12": entry}, indent=2)})
    [query] = _read(tmp_path, "sqlx-data.json").queries
    assert (query.parameters, query.places[0].line) == (("bigint",), 3)


def test_files_of_named_queries(tmp_path: Path) -> None:
    _write(
        tmp_path,
        queries__aDOTsql="-- name: get-order(id)^\n-- by its id\nselect *, ':x' from orders where id = :order-id::int;\n"
        "-- name: add<!\ninsert into orders (a) values (:a) returning id\n",
        queries__bDOTsql="-- :name set-state :! :n\n-- :doc Sets it\nupdate orders set state = :state where id in (:v*:ids)\n"
        "-- :name sorted :? :*\nselect * from orders order by :i:column\n-- :snip part\nwhere a = 1\n",
        queries__cDOTsql="select 1 from orders where a = :a",
        queries__dDOTsql="-- name: paid\nselect 1 from orders where paid = :paid?::boolean and id = any(array[:ids]) and data ? :key",
        queries__schemaDOTsql="create table t (a int);\ninsert into t values (1);",
    )
    workload = _read(tmp_path, "queries")
    assert _texts(workload) == {
        "get-order": "SELECT *, ':x' FROM orders WHERE id = $1::int",
        "add": "INSERT INTO orders(a) VALUES ($1) RETURNING id",
        "set-state": "UPDATE orders SET state = $1 WHERE id IN ($2)",
        "c": "SELECT 1 FROM orders WHERE a = $1",
        "paid": "SELECT 1 FROM orders WHERE paid = $1::boolean AND id = ANY(ARRAY[$2]) AND data ? $3",
    }
    [unread] = workload.unread
    assert (unread.place.name, unread.place.line, unread.reason) == ("sorted", 4, ":i:column is filled in when it is sent")


def test_a_table_that_the_application_creates_is_not_missing(tmp_path: Path) -> None:
    _write(
        tmp_path,
        queries__aDOTsql="-- name: begin :exec\ncreate temp table imported (like orders) on commit drop;\n"
        "-- name: finish :exec\ninsert into orders (id) select id from imported;\n-- name: other :one\nselect id from exported",
    )
    workload = _read(tmp_path, "queries")
    catalog = catalog_of("CREATE TABLE orders (id bigint);")
    failures = {}
    for query in workload.queries:
        result = Assessor(created=workload.created).assess(query, catalog)
        failures[query.places[0].name] = result.failure.code if result.failure is not None else result.uncertain
    assert failures == {"finish": "the relation imported is not known", "other": "42P01"}


def test_a_named_text_that_begins_no_statement_is_not_passed_over(tmp_path: Path) -> None:
    _write(tmp_path, queries__aDOTsql="-- name: typo :one\nselec 1 from orders;\n-- name: table :exec\ncreate table t (a int);")
    workload = _read(tmp_path, "queries")
    assert not workload.queries
    assert [(each.place.name, each.reason) for each in workload.unread] == [("typo", "no statement of PostgreSQL begins with SELEC")]


PYTHON = '''\
from sqlalchemy import text
TABLE = "orders"
BY_STATE = "SELECT id FROM " + TABLE + " WHERE state = %s"
MESSAGE = "Select an order from the list"

def load(connection, column):
    connection.execute(BY_STATE, [1])
    connection.execute(text("""SELECT id FROM orders WHERE id = :id AND data\\\\:\\\\:text = 'x'"""))
    connection.execute(f"SELECT {column} FROM orders")
    connection.execute("CREATE TABLE t (a int)")
    rows = connection.fetch(f"SELECT id FROM {TABLE} WHERE id IN %(ids)s" " LIMIT 1")
    for query in rows:
        connection.execute(query)
'''


def test_python(tmp_path: Path) -> None:
    _write(tmp_path, app__dbDOTpy=PYTHON, app__tests__test_dbDOTpy=PYTHON, app__brokenDOTpy="select = (")
    workload = _read(tmp_path, "app")
    assert [query.text for query in workload.queries] == [
        "SELECT id FROM orders WHERE state = $1",
        "SELECT id FROM orders WHERE id = $1 AND data::text = 'x'",
        "SELECT id FROM orders WHERE id IN ($1) LIMIT 1",
    ]
    assert {place.path for query in workload.queries for place in query.places} == {"app/db.py"}
    [unread] = workload.unread
    assert (unread.place, unread.reason) == (CallSite("app/db.py", 9, "load"), "a part of its text is known only when the program runs")


WRAPPED = """\
FIND = Query(
    '''
SELECT id FROM orders -- $1 is not $none
WHERE state = $state AND (late = $late OR $state = '$no') AND note = $$a$$
    ''',
    cached=True,
)
TITLE = Title("Select an order")
PART = Query(f"SELECT id FROM {TABLE} WHERE id = 1")
"""


def test_queries_in_a_class_of_the_project(tmp_path: Path) -> None:
    _write(tmp_path, app__dbDOTpy=WRAPPED)
    workload = _read(tmp_path, "app")
    [find] = workload.queries
    assert find.text.split() == "SELECT id FROM orders WHERE state = $1 AND (late = $2 OR $1 = '$no') AND note = $$a$$".split()
    assert [(place.name, place.line) for place in find.places] == [("FIND", 2)]
    assert [each.place.name for each in workload.unread] == ["PART"]


def test_what_was_recorded_is_added_to_the_query_of_the_project(tmp_path: Path) -> None:
    _write(
        tmp_path, qDOTsql="-- name: open^\nselect id from orders where state = 'open'\n-- name: new^\nselect id from orders where state = 'new'"
    )
    recorded = normal_text("select id from orders where state = 'x'")
    place = CallSite("app/a.py", 3, "load", 7, 2)
    query = Query(text=recorded.text, fingerprint=recorded.fingerprint, places=(place,), calls=7)
    write_document(str(tmp_path / "queries.jsonl"), [query])
    first, second = _read(tmp_path, "q.sql", "queries.jsonl").queries
    assert first.text.endswith("'open'")
    assert (first.calls, first.per_request, len(first.places)) == (7, 2, 2)
    assert (second.calls, second.text) == (0, "SELECT id FROM orders WHERE state = 'new'")


def test_a_file_of_a_folder_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    _write(tmp_path, q__aDOTsql="select a from t")
    (tmp_path / "q" / "b.sql").write_bytes(b"-- name: b^\nselect '\xe9'")
    workload = _read(tmp_path, "q")
    assert len(workload.queries) == 1
    [unread] = workload.unread
    assert (unread.place.path, unread.reason) == ("q/b.sql", "the file cannot be read: line 2: is not UTF-8 (byte 0xe9)")
    with pytest.raises(MigsafeError, match="is not UTF-8"):
        _read(tmp_path, "q/b.sql")


@pytest.mark.parametrize("text", ["SELECT 1 FROM t;\n" * 3, "".join(f"-- name: q{n}\nSELECT {n} FROM t;\n" for n in range(3))])
def test_a_dump_is_not_read(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder it is noted, and the other files are read; one that the project names is an error."""
    monkeypatch.setattr("migsafe.workload.sources.found.MOST_QUERIES", 2)
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "dump.sql").write_text(text)
    (tmp_path / "queries" / "orders.sql").write_text("-- name: orders\nSELECT id FROM orders;\n")
    workload = read_workload([str(tmp_path / "queries")], str(tmp_path))
    assert [query.places[0].name for query in workload.queries] == ["orders"]
    assert [(each.place.path, each.reason) for each in workload.unread] == [("queries/dump.sql", "the file has more than 2 statements")]
    with pytest.raises(MigsafeError, match="has more than 2 statements"):
        read_workload([str(tmp_path / "queries" / "dump.sql")], str(tmp_path))


def test_statistics_of_production_are_added(tmp_path: Path) -> None:
    statements = [
        {"text": "select id from orders where state = $1 and sent = $2 and note is null", "calls": 40, "mean_ms": 1.5},
        {"text": "select id from orders where id = 17 and made > date $1", "calls": 2},
        {"text": "alter role x password 'secret'", "calls": 2},
    ]
    _write(
        tmp_path,
        qDOTsql="-- name: open^\nselect id from orders where state = 'open' and sent = false and note is null",
        statsDOTjson=json.dumps({"version": 1, "relations": {}, "queries": statements}),
        oldDOTjson=json.dumps({"version": 1, "relations": {}}),
    )
    own, other = _read(tmp_path, "q.sql", "stats.json").queries
    assert (own.text, own.calls, own.mean_ms) == ("SELECT id FROM orders WHERE state = 'open' AND sent = FALSE AND note IS NULL", 40, 1.5)
    assert other.text == "SELECT id FROM orders WHERE id = $1 AND made > $2::date"
    with pytest.raises(MigsafeError, match="contains no queries"):
        _read(tmp_path, "old.json")


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MigsafeError, match="does not exist"):
        _read(tmp_path, "missing.sql")


def test_the_queries_of_a_revision(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    _write(tmp_path, app__qDOTsql="-- name: a^\nselect a from t", app__sqlcDOTyaml="sql:\n- engine: postgresql\n  queries: q2.sql\n")
    _write(tmp_path, app__q2DOTsql="-- name: B :one\nselect b from t")
    git("add", "-A")
    git("commit", "-qm", "first")
    _write(tmp_path, app__qDOTsql="-- name: a^\nselect a from t\n-- name: c^\nselect c from t", newDOTsql="select d from t")
    workload = read_workload([str(tmp_path / "app"), str(tmp_path / "new.sql")], str(tmp_path), revision="main")
    assert [query.text for query in workload.new_queries()] == ["SELECT c FROM t"]
    assert len(workload.running) == 3
