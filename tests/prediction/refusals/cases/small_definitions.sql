-- jsonb to text array
CREATE TABLE a (id int, t jsonb);
-- refused: cannot cast type jsonb to text[]
ALTER TABLE a ALTER t TYPE text[] USING t::text[];

-- enum duplicate labels
-- refused: duplicate key value violates unique constraint "pg_enum_typid_label_index"
CREATE TYPE e AS ENUM ('a', 'a');

-- policy with check select
CREATE TABLE a (id int);
-- refused: WITH CHECK cannot be applied to SELECT or DELETE
CREATE POLICY p ON a FOR SELECT WITH CHECK (true);

-- policy using insert
CREATE TABLE a (id int);
-- refused: only WITH CHECK expression allowed for INSERT
CREATE POLICY p ON a FOR INSERT USING (true);

-- domain default bad
-- refused: invalid input syntax for type integer: "x"
CREATE DOMAIN d AS int DEFAULT 'x';

-- max of uuid
CREATE TABLE a (id uuid);
-- refused: function max(uuid) does not exist
CREATE VIEW v AS SELECT max(id) FROM a;

-- insert default values not null
CREATE TABLE a (id int NOT NULL);
-- refused: null value in column "id" of relation "a" violates not-null constraint
INSERT INTO a DEFAULT VALUES;

-- cluster missing
CREATE TABLE a (id int, b int);
-- refused: index "nope" for table "a" does not exist
CLUSTER a USING nope;

-- policies, accepted
CREATE TABLE a (id int, b boolean);
CREATE POLICY p1 ON a FOR SELECT USING (b);
CREATE POLICY p2 ON a FOR INSERT WITH CHECK (b);
CREATE POLICY p3 ON a FOR UPDATE USING (b) WITH CHECK (b);
CREATE POLICY p4 ON a FOR DELETE USING (b);
-- accepted
CREATE POLICY p5 ON a USING (b) WITH CHECK (b);

-- casts to arrays, accepted
CREATE TABLE a (id int, t text, v varchar(5), j jsonb, n int[]);
-- accepted
ALTER TABLE a ALTER t TYPE text[] USING t::text[], ALTER v TYPE int[] USING v::int[], ALTER j TYPE text[] USING j::text::text[], ALTER n TYPE bigint[] USING n::bigint[];

-- casts to arrays of one, accepted
CREATE TABLE a (id int, t text, j int, c char(5));
-- accepted
ALTER TABLE a ALTER j TYPE int[] USING ARRAY[j], ALTER t TYPE text[] USING string_to_array(t, ','), ALTER c TYPE text[] USING c::text[];

-- domains, accepted
CREATE DOMAIN d AS int DEFAULT '5' CHECK (VALUE > 0);
CREATE DOMAIN e AS text DEFAULT 'x';
-- accepted
CREATE DOMAIN f AS timestamptz DEFAULT 'now';

-- default values, accepted
CREATE TABLE a (id serial, b int NOT NULL DEFAULT 1, c int);
-- accepted
INSERT INTO a DEFAULT VALUES;

-- cluster, accepted
CREATE TABLE a (id int PRIMARY KEY, b int);
CREATE INDEX i ON a (b);
CLUSTER a USING i;
-- accepted
CLUSTER a USING a_pkey;

-- max, accepted
CREATE TABLE a (id int, t text, d date, i inet, n int[], b boolean, u uuid);
-- accepted
CREATE VIEW v AS SELECT max(id) a, min(t) b, max(d) c, max(i) e, max(n) f, bool_or(b) g, max(b::int) h, max(u::text) j, max(CASE WHEN b THEN 1 END) k FROM a;

-- max of boolean
CREATE TABLE a (id int, b boolean);
-- refused: function max(boolean) does not exist
CREATE VIEW v AS SELECT max(b) FROM a;

-- max of json
CREATE TABLE a (id int, b jsonb);
-- refused: function min(jsonb) does not exist
CREATE VIEW v AS SELECT min(b) FROM a;

-- rls on view
CREATE TABLE a (id int);
CREATE VIEW v AS SELECT * FROM a;
-- refused before 15: "v" is not a table
-- refused since 15: ALTER action FORCE ROW SECURITY cannot be performed on relation "v"
ALTER TABLE v FORCE ROW LEVEL SECURITY;

-- rls on matview
CREATE TABLE a (id int);
CREATE MATERIALIZED VIEW v AS SELECT * FROM a;
-- refused before 15: "v" is not a table
-- refused since 15: ALTER action ENABLE ROW SECURITY cannot be performed on relation "v"
ALTER TABLE v ENABLE ROW LEVEL SECURITY;

-- uuid to array
CREATE TABLE a (id uuid);
-- refused: cannot cast type uuid to text[]
ALTER TABLE a ALTER id TYPE text[] USING id::text[];

-- int to int array
CREATE TABLE a (id int);
-- refused: cannot cast type integer to integer[]
ALTER TABLE a ALTER id TYPE int[] USING id::int[];

-- policy delete check
CREATE TABLE a (id int);
-- refused: WITH CHECK cannot be applied to SELECT or DELETE
CREATE POLICY p ON a FOR DELETE USING (true) WITH CHECK (true);
