-- ALTER COLUMN TYPE: which changes rewrite the table, which rebuild indexes, which do neither.

-- case: the same type
ALTER TABLE kinds ALTER COLUMN whole TYPE int;
-- case: int to bigint
ALTER TABLE kinds ALTER COLUMN whole TYPE bigint;
-- case: smallint to int
ALTER TABLE kinds ALTER COLUMN small TYPE int;
-- case: bigint to int
ALTER TABLE kinds ALTER COLUMN big TYPE int;
-- case: int to oid
ALTER TABLE kinds ALTER COLUMN whole TYPE oid;
-- case: oid to int
ALTER TABLE kinds ALTER COLUMN ident TYPE int;
-- case: int to numeric
ALTER TABLE kinds ALTER COLUMN whole TYPE numeric;
-- case: int to text
ALTER TABLE kinds ALTER COLUMN whole TYPE text;
-- case: int to boolean
-- refused
ALTER TABLE kinds ALTER COLUMN whole TYPE boolean;
-- case: int to boolean, using
ALTER TABLE kinds ALTER COLUMN whole TYPE boolean USING whole <> 0;
-- case: text to int
-- refused
ALTER TABLE kinds ALTER COLUMN txt TYPE int;
-- case: text to int, using
ALTER TABLE kinds ALTER COLUMN txt TYPE int USING txt::int;
-- case: a primary key to another type
ALTER TABLE coupons ALTER COLUMN code TYPE varchar(50);
-- case: a primary key to bigint
ALTER TABLE returns ALTER COLUMN id TYPE bigint;
-- case: a primary key that others refer to, to bigint
ALTER TABLE hens ALTER COLUMN id TYPE bigint;
-- case: a primary key that many refer to, to bigint
DROP VIEW customer_orders;
ALTER TABLE customers ALTER COLUMN id TYPE bigint;
-- case: a referring column to bigint
ALTER TABLE items ALTER COLUMN order_id TYPE bigint;
-- case: a key that refers to itself
ALTER TABLE employees ALTER COLUMN id TYPE bigint;
-- case: real to double precision
ALTER TABLE kinds ALTER COLUMN real4 TYPE double precision;
-- case: double precision to numeric
ALTER TABLE kinds ALTER COLUMN double8 TYPE numeric;
-- case: numeric to a precision
ALTER TABLE kinds ALTER COLUMN num TYPE numeric(10, 2);
-- case: numeric without its precision
ALTER TABLE kinds ALTER COLUMN num10 TYPE numeric;
-- case: numeric with more precision
ALTER TABLE kinds ALTER COLUMN num10 TYPE numeric(12, 2);
-- case: numeric with less precision
ALTER TABLE kinds ALTER COLUMN num10 TYPE numeric(8, 2);
-- case: numeric with more scale
ALTER TABLE kinds ALTER COLUMN num10 TYPE numeric(12, 4);
-- case: numeric to int
ALTER TABLE kinds ALTER COLUMN num10 TYPE int;
-- case: varchar with more length
ALTER TABLE kinds ALTER COLUMN chars20 TYPE varchar(50);
-- case: varchar with less length
ALTER TABLE kinds ALTER COLUMN chars20 TYPE varchar(10);
-- case: varchar without length
ALTER TABLE kinds ALTER COLUMN chars20 TYPE varchar;
-- case: varchar with a length for the first time
ALTER TABLE kinds ALTER COLUMN chars TYPE varchar(50);
-- case: varchar to text
ALTER TABLE kinds ALTER COLUMN chars20 TYPE text;
-- case: text to varchar
ALTER TABLE kinds ALTER COLUMN txt TYPE varchar;
-- case: text to a short varchar
ALTER TABLE kinds ALTER COLUMN txt TYPE varchar(50);
-- case: char with more length
ALTER TABLE kinds ALTER COLUMN char5 TYPE char(10);
-- case: char to varchar
ALTER TABLE kinds ALTER COLUMN char5 TYPE varchar(10);
-- case: varchar to char
ALTER TABLE kinds ALTER COLUMN chars20 TYPE char(20);
-- case: text to bytea
ALTER TABLE kinds ALTER COLUMN txt TYPE bytea USING txt::bytea;
-- case: text to citext's place, a domain
ALTER TABLE kinds ALTER COLUMN txt TYPE label;
-- case: a domain without constraint to its type
ALTER TABLE kinds ALTER COLUMN label_ TYPE text;
-- case: a domain with a length to its type
ALTER TABLE kinds ALTER COLUMN short_ TYPE varchar(20);
-- case: a domain with a length to text
ALTER TABLE kinds ALTER COLUMN short_ TYPE text;
-- case: text to a domain with a length
ALTER TABLE kinds ALTER COLUMN txt TYPE short_label;
-- case: varchar to a domain with the same length
ALTER TABLE kinds ALTER COLUMN chars20 TYPE short_label;
-- case: numeric to a domain with a check
ALTER TABLE kinds ALTER COLUMN num TYPE amount;
-- case: a domain with a check to its type
ALTER TABLE kinds ALTER COLUMN cost TYPE numeric;
-- case: timestamp to timestamptz, in UTC
SET timezone = 'UTC';
ALTER TABLE kinds ALTER COLUMN ts TYPE timestamptz;
-- case: timestamp to timestamptz, elsewhere
SET timezone = 'Europe/Berlin';
ALTER TABLE kinds ALTER COLUMN ts TYPE timestamptz;
-- case: timestamptz to timestamp, in UTC
SET timezone = 'UTC';
ALTER TABLE kinds ALTER COLUMN tstz TYPE timestamp;
-- case: timestamptz to timestamp, elsewhere
SET timezone = 'Asia/Tokyo';
ALTER TABLE kinds ALTER COLUMN tstz TYPE timestamp;
-- case: timestamp to timestamptz, using a zone
ALTER TABLE kinds ALTER COLUMN ts TYPE timestamptz USING ts AT TIME ZONE 'UTC';
-- case: timestamp to date
ALTER TABLE kinds ALTER COLUMN ts TYPE date;
-- case: date to timestamp
ALTER TABLE kinds ALTER COLUMN day TYPE timestamp;
-- case: timestamp with less precision
ALTER TABLE kinds ALTER COLUMN ts TYPE timestamp(3);
-- case: timestamp with all precision
ALTER TABLE kinds ALTER COLUMN ts3 TYPE timestamp;
-- case: timestamp with more precision
ALTER TABLE kinds ALTER COLUMN ts3 TYPE timestamp(6);
-- case: timestamptz with more precision
ALTER TABLE kinds ALTER COLUMN tstz3 TYPE timestamptz(5);
-- case: time with more precision
ALTER TABLE kinds ALTER COLUMN hour3 TYPE time;
-- case: time to timetz
ALTER TABLE kinds ALTER COLUMN hour TYPE timetz;
-- case: interval with more precision
ALTER TABLE kinds ALTER COLUMN span3 TYPE interval;
-- case: interval with less precision
ALTER TABLE kinds ALTER COLUMN span TYPE interval(3);
-- case: interval with fields
ALTER TABLE kinds ALTER COLUMN span TYPE interval day to second;
-- case: bit with more length
-- refused
ALTER TABLE kinds ALTER COLUMN bits TYPE bit(16);
-- case: varbit with more length
ALTER TABLE kinds ALTER COLUMN varbits TYPE bit varying(16);
-- case: varbit without length
ALTER TABLE kinds ALTER COLUMN varbits TYPE bit varying;
-- case: bit to varbit
ALTER TABLE kinds ALTER COLUMN bits TYPE bit varying(8);
-- case: json to jsonb
ALTER TABLE kinds ALTER COLUMN js TYPE jsonb;
-- case: jsonb to json
ALTER TABLE kinds ALTER COLUMN jsb TYPE json;
-- case: text to json
ALTER TABLE kinds ALTER COLUMN txt TYPE json USING txt::json;
-- case: json to text
ALTER TABLE kinds ALTER COLUMN js TYPE text;
-- case: uuid to text
ALTER TABLE kinds ALTER COLUMN ref TYPE text;
-- case: cidr to inet
ALTER TABLE kinds ALTER COLUMN net2 TYPE inet;
-- case: inet to cidr
ALTER TABLE kinds ALTER COLUMN net TYPE cidr USING network(net);
-- case: enum to text
ALTER TABLE kinds ALTER COLUMN feeling TYPE text;
-- case: text to enum
ALTER TABLE kinds ALTER COLUMN txt TYPE mood USING 'ok'::mood;
-- case: int[] to bigint[]
ALTER TABLE kinds ALTER COLUMN whole_array TYPE bigint[];
-- case: text[] to varchar[]
ALTER TABLE kinds ALTER COLUMN text_array TYPE varchar[];
-- case: varchar(20)[] with more length
ALTER TABLE kinds ALTER COLUMN chars_array TYPE varchar(50)[];
-- case: varchar(20)[] to text[]
ALTER TABLE kinds ALTER COLUMN chars_array TYPE text[];
-- case: int to int[]
ALTER TABLE kinds ALTER COLUMN whole TYPE int[] USING ARRAY[whole];
-- case: money to numeric
ALTER TABLE kinds ALTER COLUMN money_ TYPE numeric;
-- case: using the column itself
ALTER TABLE kinds ALTER COLUMN whole TYPE int USING whole;
-- case: using a cast that does nothing
ALTER TABLE kinds ALTER COLUMN chars20 TYPE text USING chars20::text;
-- case: using an expression of the same type
ALTER TABLE kinds ALTER COLUMN whole TYPE int USING whole + 0;
-- case: using another column
ALTER TABLE kinds ALTER COLUMN whole TYPE bigint USING big;
-- case: collation
ALTER TABLE kinds ALTER COLUMN txt TYPE text COLLATE "POSIX";
-- case: collation of an indexed column
ALTER TABLE orders ALTER COLUMN note TYPE text COLLATE "POSIX";
-- case: an indexed varchar with more length
DROP MATERIALIZED VIEW empty_sales;
ALTER TABLE orders ALTER COLUMN status TYPE varchar(50);
-- case: an indexed varchar to text
DROP MATERIALIZED VIEW empty_sales;
ALTER TABLE orders ALTER COLUMN status TYPE text;
-- case: an indexed varchar with less length
DROP MATERIALIZED VIEW empty_sales;
ALTER TABLE orders ALTER COLUMN status TYPE varchar(10);
-- case: a unique varchar with more length
ALTER TABLE customers ALTER COLUMN email TYPE varchar(200);
-- case: a unique varchar to text
ALTER TABLE customers ALTER COLUMN email TYPE text;
-- case: in an index expression
ALTER TABLE orders ALTER COLUMN note TYPE varchar;
-- case: in a check
ALTER TABLE customers ALTER COLUMN score TYPE bigint;
-- case: in a check, without rewriting
ALTER TABLE orders ALTER COLUMN price TYPE numeric(12, 2);
-- case: in a check that is not valid
ALTER TABLE returns ALTER COLUMN reason TYPE varchar;
-- case: in a partial index's predicate
CREATE INDEX part ON customers (id) WHERE country = 'de';
ALTER TABLE customers ALTER COLUMN country TYPE text;
-- case: a referenced text key to varchar
CREATE TABLE uses (code text REFERENCES coupons);
ALTER TABLE coupons ALTER COLUMN code TYPE varchar;
-- case: in a foreign key, without rewriting
CREATE TABLE uses (code varchar(20) REFERENCES coupons);
ALTER TABLE uses ALTER COLUMN code TYPE varchar(40);
-- case: in a foreign key, to text
CREATE TABLE uses (code varchar(20) REFERENCES coupons);
INSERT INTO uses SELECT 'c' || n FROM generate_series(1, 300) AS n;
ALTER TABLE uses ALTER COLUMN code TYPE text;
-- case: in a foreign key that is not valid
ALTER TABLE returns ALTER COLUMN order_id TYPE bigint;
-- case: used by a view
-- refused
ALTER TABLE orders ALTER COLUMN total TYPE numeric;
-- case: used by a generated column
-- refused
ALTER TABLE invoices ALTER COLUMN net TYPE numeric(10, 2);
-- case: a generated column
ALTER TABLE invoices ALTER COLUMN gross TYPE numeric(20, 2);
-- case: an identity column
CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY);
INSERT INTO t SELECT generate_series(1, 300);
ALTER TABLE t ALTER COLUMN id TYPE bigint;
-- case: a serial column
ALTER TABLE invoices ALTER COLUMN id TYPE bigint;
-- case: with a default that does not cast
-- refused
ALTER TABLE customers ALTER COLUMN country SET DEFAULT 'de';
ALTER TABLE customers ALTER COLUMN country TYPE int USING 1;
-- case: in a statistics object
ALTER TABLE notices ALTER COLUMN line TYPE varchar;
-- case: in a policy
-- refused
CREATE POLICY by_line ON notices USING (line = 'x');
ALTER TABLE notices ALTER COLUMN line TYPE varchar;
-- case: in a trigger's condition
-- refused
CREATE TRIGGER t BEFORE UPDATE ON customers FOR EACH ROW WHEN (OLD.country = 'de') EXECUTE FUNCTION touch();
ALTER TABLE customers ALTER COLUMN country TYPE text;
-- case: in a trigger's columns
-- refused
CREATE TRIGGER t BEFORE UPDATE OF country ON customers FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE customers ALTER COLUMN country TYPE text;
-- case: in a publication's columns
-- versions: 15-
-- refused
CREATE PUBLICATION columns FOR TABLE customers (id, country);
ALTER TABLE customers ALTER COLUMN country TYPE text;
-- case: in an exclusion constraint
ALTER TABLE bookings ALTER COLUMN room TYPE bigint;
-- case: the column of an exclusion constraint
ALTER TABLE bookings ALTER COLUMN during TYPE int8range USING int8range(lower(during), upper(during));
-- case: several columns, none rewritten
ALTER TABLE kinds ALTER COLUMN chars20 TYPE varchar(40), ALTER COLUMN num10 TYPE numeric(20, 2);
-- case: several columns, one rewritten
ALTER TABLE kinds ALTER COLUMN chars20 TYPE varchar(40), ALTER COLUMN whole TYPE bigint;
-- case: with its default
ALTER TABLE orders ALTER COLUMN quantity TYPE bigint, ALTER COLUMN quantity SET DEFAULT 7;
-- case: partitioned table
ALTER TABLE events ALTER COLUMN amount TYPE bigint;
-- case: partitioned table, without rewriting
ALTER TABLE visits ALTER COLUMN page TYPE varchar;
-- case: partitioned table, an indexed column
DROP VIEW all_events;
ALTER TABLE events ALTER COLUMN kind TYPE varchar(30);
-- case: partitioned table, an indexed column, without rewriting
DROP VIEW all_events;
ALTER TABLE events ALTER COLUMN kind TYPE varchar;
-- case: the partition key
-- refused
ALTER TABLE visits ALTER COLUMN region TYPE varchar;
-- case: partitions of partitions
ALTER TABLE logs ALTER COLUMN line TYPE varchar(100);
-- case: a partition
-- refused
ALTER TABLE events_2020 ALTER COLUMN amount TYPE bigint;
-- case: inherited
ALTER TABLE animals ALTER COLUMN id TYPE bigint;
-- case: inherited, without rewriting
ALTER TABLE animals ALTER COLUMN name TYPE varchar;
-- case: inherited, with a check
ALTER TABLE animals ALTER COLUMN legs TYPE bigint;
-- case: inherited, a child
-- refused
ALTER TABLE dogs ALTER COLUMN id TYPE bigint;
-- case: inherited, only the parent
-- refused
ALTER TABLE ONLY animals ALTER COLUMN id TYPE bigint;
-- case: a child's own column
ALTER TABLE dogs ALTER COLUMN breed TYPE varchar(50);
-- case: foreign table
ALTER FOREIGN TABLE far_orders ALTER COLUMN id TYPE bigint;
-- case: unlogged table
ALTER TABLE scratch ALTER COLUMN line TYPE varchar(10);
-- case: a composite type in use
-- refused
ALTER TYPE address ALTER ATTRIBUTE city TYPE varchar(50);
-- case: a clustered table
ALTER TABLE ledger ALTER COLUMN id TYPE bigint;
