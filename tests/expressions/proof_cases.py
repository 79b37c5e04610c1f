"""What CHECKs prove.

A line begins with the expectation. `yes`: PostgreSQL and migsafe find the proof. `no`: neither finds one. `server`: only PostgreSQL finds the
proof, so migsafe warns of a scan that does not happen. Several CHECKs are separated by `;`.
"""

NOT_NULL = """
    yes     x IS NOT NULL
    yes     x IS NOT NULL AND y > 0
    yes     y > 0 AND (x IS NOT NULL AND z > 0)
    yes     (((x IS NOT NULL)))
    yes     x NOTNULL
    yes     X IS NOT NULL
    yes     t.x IS NOT NULL
    yes     NOT x IS NULL
    yes     NOT (x IS NULL OR y > 3)
    yes     NOT NOT x IS NOT NULL
    yes     x IS DISTINCT FROM NULL
    yes     NOT (x IS NOT DISTINCT FROM NULL)
    yes     NULL IS DISTINCT FROM x
    yes     (x IS NOT NULL) = true
    yes     (x IS NULL) = false
    yes     (x IS NULL) <> true
    yes     ROW(x, y) IS NOT NULL
    yes     (x, y) IS NOT NULL
    yes     x IS NOT NULL AND x IN (1, 2)
    yes     x IS NOT NULL OR x IS NOT NULL AND y > 0
    yes     (x IS NOT NULL AND y = 1) OR (x IS NOT NULL AND y = 2)
    yes     x IS NOT NULL OR false
    yes     x IS NOT NULL AND NULL
    no      x > 0
    no      x BETWEEN 1 AND 5
    no      x IN (1, 2, 3)
    no      x = x
    no      x IS NULL
    no      y IS NOT NULL
    no      "X" IS NOT NULL
    no      x IS NOT NULL OR y IS NOT NULL
    no      x IS NOT NULL OR NULL
    no      NOT (x IS NULL AND y IS NULL)
    no      NOT (ROW(x, y) IS NULL)
    no      (x IS NOT NULL) IS TRUE
    no      (x IS NOT NULL) IS NOT FALSE
    no      (x IS NULL) IS FALSE
    no      (x IS NULL) IS NOT DISTINCT FROM false
    no      (x > 0) IS NOT UNKNOWN
    no      CASE WHEN x IS NULL THEN false ELSE true END
    no      coalesce(x, 0) > 0
    no      coalesce(x, NULL) IS NOT NULL
    no      num_nulls(x) = 0
    no      x + 0 IS NOT NULL
    no      x::bigint IS NOT NULL
    server  x::int IS NOT NULL
    server  CASE WHEN true THEN x IS NOT NULL END
    server  x IS NOT NULL OR 1 = 2
"""

JANUARY = "d date NOT NULL, n int | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')"
INTEGERS = "d int NOT NULL, n int | RANGE (d) | FROM (10) TO (20)"
TWO_COLUMNS = "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (1, 10) TO (3, 20)"
WORDS = "d varchar(10) NOT NULL | LIST (d) | IN ('a', 'b')"

BOUNDS: dict[str, str] = {
    JANUARY: """
        yes     d >= '2025-01-01' AND d < '2025-02-01'
        yes     d >= '2025-01-01'::date AND d < DATE '2025-02-01'
        yes     ((d >= '2025-01-01'::date) AND (d < '2025-02-01'::date))
        yes     d >= '2025-01-01'; d < '2025-02-01'
        yes     '2025-01-01' <= d AND '2025-02-01' > d
        yes     d >= '2025-01-05' AND d < '2025-01-20' AND n > 0
        yes     d > '2025-01-01' AND d < '2025-02-01'
        yes     d BETWEEN '2025-01-01' AND '2025-01-31'
        yes     d BETWEEN SYMMETRIC '2025-01-31' AND '2025-01-01'
        yes     NOT (d < '2025-01-01' OR d >= '2025-02-01')
        yes     NOT d NOT BETWEEN '2025-01-01' AND '2025-01-31'
        yes     d >= '2025-01-01'::timestamp AND d < '2025-02-01 00:00:00'::timestamp
        yes     d >= '2025-01-01 00:00:00' AND d < '20250201'
        yes     d = '2025-01-15'
        yes     d IN ('2025-01-15', '2025-01-16')
        yes     d = ANY (ARRAY['2025-01-15'::date, '2025-01-16'])
        yes     d = ANY ('{2025-01-15,2025-01-16}')
        yes     d = '2025-01-15' OR d BETWEEN '2025-01-20' AND '2025-01-25'
        yes     n = 1 AND d >= '2025-01-01' AND d < '2025-02-01' OR n = 2 AND d >= '2025-01-01' AND d < '2025-02-01'
        yes     (d >= '2025-01-01' AND d < '2025-02-01') = true
        yes     d::date >= '2025-01-01' AND d::date < '2025-02-01'
        no      d >= '2025-01-01'
        no      d > '2024-12-31' AND d < '2025-02-01'
        no      d BETWEEN '2025-01-01' AND '2025-02-01'
        no      d >= '2025-01-01' AND d < '2025-02-02'
        no      d >= '2025-01-01'::timestamptz AND d < '2025-02-01'::timestamptz
        no      d IN ('2025-01-15', '2025-02-16')
        no      d::timestamp >= '2025-01-01' AND d::timestamp < '2025-02-01'
        no      date_trunc('month', d) = '2025-01-01'
        no      n = 1 OR d >= '2025-01-01' AND d < '2025-02-01'
        no      (d >= '2025-01-01' AND d < '2025-02-01') IS TRUE
        no      d >= '2025-01-01' AND d < '2025-02-01' OR NULL
        no      (d, n) >= ('2025-01-01', 0) AND d < '2025-02-01'
        server  d >= '2025-01-01' AND d < date '2025-01-01' + interval '1 month'
        server  d >= make_date(2025, 1, 1) AND d < make_date(2025, 2, 1)
        server  d >= 'January 1, 2025' AND d < 'February 1, 2025'
    """,
    "d date | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')": """
        yes     d IS NOT NULL AND d >= '2025-01-01' AND d < '2025-02-01'
        yes     d IS NOT NULL; d >= '2025-01-01' AND d < '2025-02-01'
        no      d >= '2025-01-01' AND d < '2025-02-01'
    """,
    "d date NOT NULL | RANGE (d) | FROM (MINVALUE) TO ('2025-02-01')": """
        yes     d < '2025-02-01'
        yes     d <= '2025-01-31'
        yes     d = '-infinity'
        no      d < '2025-02-02'
        no      d > '2020-01-01'
    """,
    "d date NOT NULL | RANGE (d) | FROM ('2025-02-01') TO (MAXVALUE)": """
        yes     d >= '2025-02-01'
        yes     d >= 'infinity'
        no      d > '2025-01-31'
    """,
    "d date NOT NULL | RANGE (d) | FROM (MINVALUE) TO (MAXVALUE)": "yes     true",
    "d date | RANGE (d) | FROM (MINVALUE) TO (MAXVALUE)": """
        yes     d IS NOT NULL
        no      d > '2020-01-01'
    """,
    "d timestamp NOT NULL | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')": """
        yes     d >= '2025-01-01' AND d < '2025-02-01'
        yes     d >= '2025-01-01 00:00:00'::timestamp without time zone AND d < '2025-02-01 00:00:00'::timestamp without time zone
        yes     d >= '2025-01-01'::date AND d < '2025-02-01'::date
        yes     d >= '2025-01-01 00:00:00+02' AND d < '2025-02-01T00:00:00Z'
        yes     d BETWEEN '2025-01-01' AND '2025-01-31 23:59:59.999999'
        yes     d >= '2025-01-01 00:00' AND d < '2025-01-31 24:00'
        no      d >= '2025-01-01'::timestamptz AND d < '2025-02-01'::timestamptz
        no      d::date >= '2025-01-01' AND d::date < '2025-02-01'
    """,
    "d timestamptz NOT NULL | RANGE (d) | FROM ('2025-01-01') TO ('2025-02-01')": """
        yes     d >= '2025-01-01' AND d < '2025-02-01'
        yes     d >= '2025-01-01 00:00:00' AND d < '2025-02-01'::timestamp with time zone
        yes     d BETWEEN '2025-01-01' AND '2025-01-31 23:59:59.999999'
        yes     d >= '2025-01-02 00:00:00+00' AND d < '2025-01-31 00:00:00+00'
        no      d >= '2025-01-01 00:00:00+00' AND d < '2025-02-01 00:00:00+00'
        no      d >= '2025-01-01'::date AND d < '2025-02-01'::date
        no      d >= '2025-01-01'::timestamp AND d < '2025-02-01'::timestamp
        server  d >= '2025-01-01 00:00:00+01' AND d < '2025-02-01 00:00:00+01'
    """,
    "d timestamptz NOT NULL | RANGE (d) | FROM ('2025-01-01 00:00:00+00') TO ('2025-02-01 00:00:00+00')": """
        yes     d >= '2025-01-01T00:00:00Z' AND d < '2025-02-01 02:00:00+02:00'
        yes     d >= '2025-01-02' AND d < '2025-01-30'
        no      d >= '2025-01-01' AND d < '2025-02-01'
    """,
    INTEGERS: """
        yes     d >= 10 AND d < 20
        yes     d > 10 AND d <= 19
        yes     d BETWEEN 10 AND 19
        yes     d >= 10::bigint AND d < '20'
        yes     d >= (12) AND d < 20 AND d <> 15
        yes     d IN (11, 12)
        yes     d IN (11)
        yes     d = ANY ('{11,12}'::int[])
        yes     d = ANY (ARRAY[11, 12]::bigint[])
        yes     d NOT IN (1, 2) AND d >= 10 AND d < 20
        yes     d >= 10 AND (d < 15 OR d < 18)
        yes     NOT d < 10 AND NOT d >= 20
        yes     d >= 10 AND d < 20; d <> 15.5
        no      d > 9 AND d < 20
        no      d BETWEEN 10 AND 20
        no      d >= -10 AND d < 20
        no      d >= 10.0 AND d < 20.0
        no      d::bigint >= 10 AND d::bigint < 20
        no      d IN (11, NULL)
        no      d IN (11, 12, n)
        no      d IN (11, 12.0)
        no      d >= n AND d < 20
        no      d >= 10 AND (d < 15 OR n = 3)
        server  d >= 5 + 5 AND d < 20
    """,
    "d numeric NOT NULL | RANGE (d) | FROM (10) TO (20.5)": """
        yes     d >= 10.0 AND d < 20.50
        yes     d > 1e1 AND d < '20'
        yes     d IN (11, 12.5)
        no      d >= 10::float8 AND d < 20
    """,
    "d numeric(10, 2) NOT NULL | RANGE (d) | FROM (10) TO (20.5)": """
        yes     d >= 10.001 AND d < 20.5
        no      d > 9.99 AND d < 20.5
    """,
    "d float8 NOT NULL | RANGE (d) | FROM (10) TO (20.5)": "yes     d >= 10.5 AND d < 20",
    "d text NOT NULL | RANGE (d) | FROM ('b') TO ('m')": """
        yes     d >= 'b' AND d < 'm'
        yes     d > 'b'::varchar AND d < 'm'::text
        no      d >= 'b' COLLATE "POSIX" AND d < 'm' COLLATE "POSIX"
        server  d >= 'c' AND d < 'k'
    """,
    "d text NOT NULL | RANGE (d) | FROM ('2025-01') TO ('2025-04')": "yes     d IN ('2025-02', '2025-03')",
    WORDS: """
        yes     d = 'a'
        yes     d IN ('b', 'a')
        yes     d = 'a'::text OR 'b' = d
        yes     ((d)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))
        yes     (d)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])
        yes     d = ANY ('{a,b}'::text[])
        yes     NOT (d <> ALL (ARRAY['a', 'b']))
        yes     NOT (d <> 'a' AND d <> 'b')
        yes     d = $$a$$
        no      d IN ('a', 'c')
        no      d >= 'a' AND d <= 'a'
        no      lower(d) = 'a'
        no      d LIKE 'a'
        no      d IS NOT DISTINCT FROM 'a'
        no      d = 'a'::bpchar
        server  d = E'a'
    """,
    "d text | LIST (d) | IN ('a', NULL)": """
        yes     d = 'a' OR d IS NULL
        yes     d = 'a'
        yes     d IS NULL
        no      d IN ('a', 'b') OR d IS NULL
        no      d IN ('a', NULL)
    """,
    "d text | LIST (d) | IN (NULL)": """
        yes     NOT d IS NOT NULL
        no      d = 'a'
    """,
    "d char(3) NOT NULL | LIST (d) | IN ('a')": """
        yes     d = 'a  '
        no      d = 'a'::text
    """,
    "d int NOT NULL | LIST (d) | IN (1, 2, 3)": """
        yes     d IN (3, 1)
        yes     NOT d <> 1
        no      d BETWEEN 1 AND 3
        no      d IN (1, 2, 3, 4)
    """,
    "d bool NOT NULL | LIST (d) | IN (true)": """
        yes     d
        yes     d = true
        yes     d <> false
        yes     NOT NOT d
        no      d IS TRUE
        no      NOT d
    """,
    "d uuid NOT NULL | RANGE (d) | FROM ('00000000-0000-0000-0000-000000000000') TO ('80000000-0000-0000-0000-000000000000')": """
        yes     d >= '10000000-0000-0000-0000-000000000000' AND d < '7000000000000000000000000000000A'::uuid
    """,
    "d mood NOT NULL | LIST (d) | IN ('sad')": """
        yes     d = 'sad'
        yes     d = 'sad'::mood
        no      d::text = 'sad'
    """,
    "d whole NOT NULL | RANGE (d) | FROM (10) TO (20)": """
        yes     d >= 10 AND d < 20
        server  d >= 11 AND d < 19
    """,
    "d whole NOT NULL | RANGE (d) | FROM (10.0) TO (20.0)": "no      d >= 10.0 AND d < 20.0",
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (1, 10) TO (1, 20)": """
        yes     a = 1 AND b BETWEEN 12 AND 15
        yes     a IN (1) AND b >= 10 AND b < 20
        no      a >= 1 AND a <= 1 AND b >= 10 AND b < 20
    """,
    TWO_COLUMNS: """
        yes     (a > 1 OR (a = 1 AND b >= 10)) AND (a < 3 OR (a = 3 AND b < 20))
        yes     a > 1 OR a = 1 AND b >= 11; a < 3 OR a = 3 AND b < 15
        yes     a = 2
        yes     a = 1 AND b >= 10
        no      (a, b) >= (1, 10) AND (a, b) < (3, 20)
        no      a >= 1 AND b >= 10 AND a < 3
    """,
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (1, MINVALUE) TO (2, MINVALUE)": "yes     a >= 1 AND a < 2",
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (MINVALUE, MINVALUE) TO (5, 10)": """
        yes     a < 5 OR a = 5 AND b < 10
        no      a <= 5 AND b < 10
    """,
    "a int NOT NULL, b int NOT NULL | RANGE (a, b) | FROM (5, MAXVALUE) TO (7, MAXVALUE)": """
        yes     a > 5 AND a <= 7
        no      a >= 5 AND a <= 7
    """,
    "a int, b int NOT NULL | RANGE (a, b) | FROM (1, 10) TO (1, 20)": """
        yes     a = 1 AND b >= 10 AND b < 20 AND a IS NOT NULL
        no      a = 1 AND b >= 10 AND b < 20
    """,
    "n text NOT NULL | LIST (lower(n)) | IN ('a')": """
        yes     LOWER((n)) = 'a' AND lower(n) IS NOT NULL
        no      lower(n) = 'a'
    """,
    "d text NOT NULL | RANGE (d text_pattern_ops) | FROM ('b') TO ('m')": "no      d >= 'b' AND d < 'm'",
    "n int NOT NULL | HASH (n) | WITH (MODULUS 2, REMAINDER 0)": "no      n % 2 = 0",
    f"d int NOT NULL | LIST (d) | IN ({', '.join(map(str, range(120)))})": f"""
        yes     d IN ({", ".join(map(str, range(120)))})
        no      d IN (1, 2)
    """,
}

DEFAULTS: dict[str, str] = {
    JANUARY: """
        yes     d < '2025-01-01' OR d >= '2025-02-01'
        yes     d < '2025-01-01' OR d >= '2025-02-01' OR d IS NULL
        yes     d < '2024-01-01'
        yes     NOT (d >= '2025-01-01' AND d < '2025-02-01')
        yes     d IN ('2024-12-31', '2025-02-01')
        no      d < '2025-01-02'
        no      d <> '2025-01-15'
        no      true
    """,
    WORDS: """
        yes     d NOT IN ('a', 'b')
        yes     d <> 'a' AND d <> 'b' AND d <> 'c'
        yes     d IN ('c', 'd')
        yes     d <> ALL (ARRAY['b', 'c', 'a'])
        no      d <> 'a'
        server  d > 'b'
    """,
    "d int | LIST (d) | IN (0)": """
        yes     d <> 0
        no      d NOT IN (0, 6.5)
    """,
    "d int | LIST (d) | IN (0, NULL)": """
        yes     d <> 0 AND d IS NOT NULL
        no      d <> 0
    """,
    TWO_COLUMNS: """
        yes     a < 1 OR a > 3
        yes     a = 1 AND b < 10
        no      b < 10
    """,
    "a int, b date NOT NULL | RANGE (a, b) | FROM (3, MINVALUE) TO (5, '2025-01-02')": """
        yes     a IN (1, 2) OR b IS NULL
        yes     a = 1 OR a = 6 OR b IS NULL
        no      a IN (1, 6) OR b IS NULL
    """,
}
