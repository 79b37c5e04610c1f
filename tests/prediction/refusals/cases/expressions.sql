-- a generated column with a stable function
CREATE TABLE a (id bigint, n text);
-- refused: generation expression is not immutable
ALTER TABLE a ADD COLUMN g text GENERATED ALWAYS AS (concat_ws('.', n, 'x')) STORED;

-- a generated column that converts a number with ||
-- accepted
CREATE TABLE a (id bigint, g text GENERATED ALWAYS AS ('DS' || id) STORED);

-- a generated column that converts a date with ||
-- refused: generation expression is not immutable
CREATE TABLE a (d date, t text, g text GENERATED ALWAYS AS (t || d) STORED);

-- a generated column that appends to an array
-- accepted
CREATE TABLE a (id bigint, t text[], g text[] GENERATED ALWAYS AS (t || 'x'::text) STORED);

-- a generated column of JSON
-- accepted
CREATE TABLE a (id bigint, j jsonb, g jsonb GENERATED ALWAYS AS (j || '{"a": 1}') STORED);

-- a search vector with a configuration
CREATE TABLE a (id bigint, n text);
-- accepted
ALTER TABLE a ADD COLUMN g tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(n, ''))) STORED;

-- an index on the day of a timestamp with time zone
CREATE TABLE a (id bigint, at timestamptz);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX i ON a ((at::date));

-- an index on the day in a named time zone
CREATE TABLE a (id bigint, at timestamptz);
-- accepted
CREATE INDEX i ON a (((at AT TIME ZONE 'UTC')::date));

-- an index on date_trunc of a timestamp with time zone
CREATE TABLE a (id bigint, at timestamptz);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX i ON a (date_trunc('hour', at));

-- an index on date_trunc of a timestamp
CREATE TABLE a (id bigint, at timestamp);
-- accepted
CREATE INDEX i ON a (date_trunc('hour', at));

-- an index on the month of a timestamp with time zone
CREATE TABLE a (id bigint, at timestamptz);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX i ON a (extract(month FROM at));

-- an index on the text of an enum
CREATE TYPE state AS ENUM ('a');
CREATE TABLE a (id bigint, s state);
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX i ON a ((s::text));

-- an index on the text of a number
CREATE TABLE a (id bigint, u uuid);
-- accepted
CREATE INDEX i ON a ((id::text), (u::text));

-- a partial index of recent rows
CREATE TABLE a (id bigint, at date);
-- refused: functions in index predicate must be marked IMMUTABLE
CREATE INDEX i ON a (at) WHERE at > CURRENT_DATE - 30;

-- a partial index with now()
CREATE TABLE a (id bigint, at timestamptz);
-- refused: functions in index predicate must be marked IMMUTABLE
CREATE INDEX i ON a (at) WHERE at > now();

-- an index on a function of the history that is not immutable
CREATE TABLE a (id bigint, n text);
CREATE FUNCTION slug(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN lower(t); END';
-- refused: functions in index expression must be marked IMMUTABLE
CREATE INDEX i ON a (slug(n));

-- an index on an SQL function that PostgreSQL replaces by its expression
CREATE TABLE a (id bigint, n text);
CREATE FUNCTION slug(t text) RETURNS text LANGUAGE sql AS 'SELECT lower(t)';
-- accepted
CREATE INDEX i ON a (slug(n));

-- a query in a CHECK
CREATE TABLE a (id bigint, n int);
-- refused: cannot use subquery in check constraint
ALTER TABLE a ADD CHECK (n IN (SELECT 1)) NOT VALID;

-- a query in a default
-- refused: cannot use subquery in DEFAULT expression
CREATE TABLE a (id bigint, n int DEFAULT (SELECT 1));

-- a query in the conversion to another type
CREATE TABLE a (id bigint, n text);
-- refused: cannot use subquery in transform expression
ALTER TABLE a ALTER n TYPE int USING (SELECT 1);

-- a word as a default
CREATE TABLE a (id bigint, n text);
-- refused: cannot use column reference in DEFAULT expression
ALTER TABLE a ADD COLUMN m text DEFAULT "active";

-- a default without parentheses
CREATE TABLE a (id bigint, n text);
-- accepted
ALTER TABLE a ADD COLUMN m date DEFAULT CURRENT_DATE, ADD COLUMN o text DEFAULT current_user;

-- a search vector without a configuration
CREATE TABLE a (id bigint, n text);
-- refused: generation expression is not immutable
ALTER TABLE a ADD COLUMN g tsvector GENERATED ALWAYS AS (to_tsvector(n)) STORED;

-- values of an enum in an array constant
CREATE TYPE load_kind AS ENUM ('light', 'heavy');
CREATE TABLE vans (id bigint PRIMARY KEY, kind load_kind);
-- accepted
ALTER TABLE vans ADD CONSTRAINT known CHECK (kind = ANY ('{light,heavy,"light"}'));

-- a value in an array constant that the enum lacks
CREATE TYPE load_kind AS ENUM ('light', 'heavy');
CREATE TABLE vans (id bigint PRIMARY KEY, kind load_kind);
-- refused: invalid input value for enum load_kind: "huge"
ALTER TABLE vans ADD CONSTRAINT known CHECK (kind = ANY ('{light,huge}'));

-- an index IF NOT EXISTS whose name is taken: PostgreSQL checks the expressions first
CREATE TABLE a (id bigint, at timestamptz);
CREATE INDEX i ON a (id);
-- refused: functions in index predicate must be marked IMMUTABLE
CREATE INDEX IF NOT EXISTS i ON a (id) WHERE at > now();

-- storage parameters of an index IF NOT EXISTS whose name is taken
CREATE TABLE a (id bigint);
CREATE INDEX i ON a (id);
-- refused: value 5 out of bounds for option "fillfactor"
CREATE INDEX IF NOT EXISTS i ON a (id) WITH (fillfactor = 5);

-- a column that an index IF NOT EXISTS adds nothing for
CREATE TABLE a (id bigint, at timestamptz);
CREATE INDEX i ON a (id);
-- accepted
CREATE INDEX IF NOT EXISTS i ON a (at) WHERE at > '2026-01-01';

-- USING of a type change names a column that does not exist
CREATE TABLE a (id bigint, n text);
-- refused: column "m" does not exist
ALTER TABLE a ALTER COLUMN n TYPE integer USING m::integer;

-- USING of a type change calls a function for another type
CREATE TABLE a (id bigint, n integer);
-- refused: function lower(integer) does not exist
ALTER TABLE a ALTER COLUMN n TYPE text USING lower(n);

-- USING of a type change with another column and a function
CREATE TABLE a (id bigint, n integer, m text);
-- accepted
ALTER TABLE a ALTER COLUMN n TYPE text USING coalesce(lower(m), n::text);
