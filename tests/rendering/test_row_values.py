"""Values from rows: whatever a script computes from them, it continues."""

import pytest

from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

IMPORTS = """
import base64, datetime, decimal, functools, hashlib, itertools, json, math, operator, re, uuid
from collections import Counter, defaultdict, namedtuple

Pair = namedtuple("Pair", "left right")
NAMES = {"a": 1, "b": 2}
LETTERS = ["a", "b", "c"]
"""


@pytest.mark.parametrize(
    "expression",
    [
        "uuid.UUID(str(row['id'])).hex",
        "uuid.UUID(f'{row.id}')",
        "uuid.UUID(bytes=row.id)",
        "uuid.uuid5(uuid.NAMESPACE_DNS, str(row.id)).bytes",
        "json.loads(row['data'])['list'][0]['name']",
        "json.loads(row.data or '{}').get('name', 'none')",
        "json.dumps({'a': row.data, 'b': [row.id]})",
        "datetime.datetime.fromisoformat(row.at).date() + datetime.timedelta(days=1)",
        "datetime.datetime.strptime(row.month, '%B').month",
        "datetime.datetime.strptime(str(row.month) + ' 2020', '%B %Y').strftime('%Y')",
        "datetime.datetime(row.year, 1, 1, tzinfo=datetime.timezone.utc)",
        "(datetime.datetime.now() - row.at).total_seconds() / 60",
        "datetime.datetime.now() - datetime.timedelta(days=row.days)",
        "max(row.at, datetime.datetime.now())",
        "int(row.count) // 3 + 1",
        "float(row.price) * 1.2",
        "round(decimal.Decimal(row.price), 2)",
        "decimal.Decimal('1') + row.price",
        "sum([row.a, row.b, 1])",
        "sum(r.a for r in rows)",
        "min(row.a, 3) + max([row.b, 4])",
        "'%d of %05.2f' % (row.count, row.price)",
        "'%(n)03d' % {'n': row.count}",
        "'{:>10.2f} {:%Y}'.format(row.price, row.at)",
        "f'{row.price:>10.2f} {row.at:%Y-%m-%d} {row.name!r:>5}'",
        "NAMES[row.name]",
        "NAMES[row.name.lower()] + 1",
        "NAMES.get(row.name, 0) + 1",
        "LETTERS[row.position]",
        "LETTERS.index(row.name)",
        "{r.id: r.name for r in rows}[7]",
        "defaultdict(list, {row.name: [1]})[row.name]",
        "Counter(r.name for r in rows).most_common(1)[0][1]",
        "dict(row)['name']",
        "dict(row._mapping)['name']",
        "row._asdict()['name']",
        "{**row._mapping, 'x': 1}['y']",
        "dict(rows)['x']",
        "{k: v for k, v in row._mapping.items()}",
        "sorted(rows, key=lambda r: (r.at, r.id))[0].id",
        "sorted({row.a, row.b, 'x'})[0]",
        "min(rows, key=operator.itemgetter(0)).id",
        "'x' if row.name in {'a', 'b'} else row.name in frozenset(LETTERS)",
        "row.name.strip().title().replace(' ', '_')[:10].encode('utf-8')",
        "', '.join(r.name for r in rows)",
        "re.sub('[^a-z]', '', row.name)",
        "re.match('(a)(b)', row.name).group(1)",
        "re.compile('x').search(str(row.name)).groups()",
        "re.findall('x', row.name)[0]",
        "hashlib.sha256(row.name.encode()).hexdigest()",
        "hashlib.md5(f'{row.id}'.encode()).hexdigest()",
        "base64.b64decode(row.data).decode()",
        "base64.b64encode(str(row.data).encode()).decode()",
        "bytes.fromhex(row.data)",
        "bytes(row.data, 'utf-8').hex()",
        "row.data.tobytes().hex()",
        "[position + pair[0] for position, pair in enumerate(zip(rows, LETTERS)) if False]",
        "[a for a, b in rows]",
        "(rows[0][0], rows[2].id, rows[-2][0], rows.copy()[1]['id'])",
        "[list(group) for key, group in itertools.groupby(rows, key=lambda r: r.name)]",
        "list(map(int, [r.id for r in rows]))",
        "list(range(row.low, row.high, 100))",
        "functools.reduce(lambda a, b: a + b, [r.id for r in rows], 0)",
        "next(r for r in rows if r.id == 1).name",
        "Pair(*row).left",
        "math.ceil(row.count / 100)",
        "row[0] + 1 if isinstance(row[0], int) else len(row[0])",
        "[*row, *rows]",
        "first + rest[0]",
        "-row.a ** 2 % 7 & 1 | 3 << row.b",
        "1 < row.a <= 10 < row.b",
        "chr(row.a) * row.b + row.name * 2",
        "str(row.a).zfill(row.b).rjust(3)",
        "row.tags[0].upper() if row.tags and len(row.tags) > 1 else None",
        "row.data['a']['b'][0] + row.data.get('c', {}).get('d', 0)",
        "open(row.name).read()",
    ],
)
@pytest.mark.parametrize("query", ['bind.execute(sa.text("SELECT * FROM a")).fetchall()'])
def test_a_computed_value_is_unknown(render: Render, expression: str, query: str) -> None:
    half = render(
        f"""
        bind = op.get_bind()
        rows = {query}
        for row in rows:
            first, *rest = row
            value = {expression}
            bind.execute(sa.text("UPDATE a SET x = :x WHERE id = :id"), {{"x": value, "id": row.id}})
        op.drop_column("a", "y")
        """,
        before=IMPORTS,
    )
    statements = sent(half)
    assert not [sql for sql in statements if "[it" in sql]
    assert any("UPDATE a SET x = " in sql for sql in statements)
    assert statements[-1] == "ALTER TABLE a DROP COLUMN y;"


def test_a_path_on_which_a_row_is_missing_that_is_written_into_sql_does_not_count(render: Render) -> None:
    body = """
        connection = op.get_bind()
        role = connection.execute(sa.text("SELECT id FROM customers WHERE id = 5")).scalar()
        connection.execute(sa.text(f"DELETE FROM orders WHERE customer = {role} AND note = 'None'"))
    """
    assert not [sql for sql in sent(render(body, history="CREATE TABLE customers (id bigint);")) if "= None" in sql]
