-- What is done to a column that is there: defaults, NOT NULL, identity, storage; its removal.

-- case: set default
ALTER TABLE orders ALTER COLUMN quantity SET DEFAULT 5;
-- case: set a volatile default
ALTER TABLE orders ALTER COLUMN price SET DEFAULT random();
-- case: drop default
ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;
-- case: set default of a partitioned table
ALTER TABLE events ALTER COLUMN amount SET DEFAULT 5;
-- case: set default of a partition
ALTER TABLE events_2020 ALTER COLUMN amount SET DEFAULT 5;
-- case: set default of only a partitioned table
ALTER TABLE ONLY events ALTER COLUMN amount SET DEFAULT 5;
-- case: set default of a parent
ALTER TABLE animals ALTER COLUMN legs SET DEFAULT 4;
-- case: set default of only a parent
ALTER TABLE ONLY animals ALTER COLUMN legs SET DEFAULT 4;
-- case: set default of a view
ALTER VIEW order_totals ALTER COLUMN total SET DEFAULT 4;
-- case: set default through ALTER TABLE on a view
ALTER TABLE order_totals ALTER COLUMN total SET DEFAULT 4;
-- case: set default of a foreign table
ALTER FOREIGN TABLE far_orders ALTER COLUMN note SET DEFAULT 'x';
-- case: set not null
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
-- case: set not null again
ALTER TABLE customers ALTER COLUMN name SET NOT NULL;
-- case: set not null, with a valid check
ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
-- case: set not null, with a check that is not valid
ALTER TABLE returns ALTER COLUMN reason SET NOT NULL;
-- case: set not null, with a check that implies it by a comparison
ALTER TABLE orders ALTER COLUMN price SET NOT NULL;
-- case: set not null, of a primary key
ALTER TABLE orders ALTER COLUMN id SET NOT NULL;
-- case: set not null, with a check of two columns
ALTER TABLE loose ADD CONSTRAINT known CHECK (a IS NOT NULL AND b IS NOT NULL);
ALTER TABLE loose ALTER COLUMN a SET NOT NULL;
-- case: set not null, with a check of either
ALTER TABLE loose ADD CONSTRAINT known CHECK (a IS NOT NULL OR b IS NOT NULL);
ALTER TABLE loose ALTER COLUMN a SET NOT NULL;
-- case: set not null, with a check validated later
ALTER TABLE loose ADD CONSTRAINT known CHECK (a IS NOT NULL) NOT VALID;
ALTER TABLE loose VALIDATE CONSTRAINT known;
ALTER TABLE loose ALTER COLUMN a SET NOT NULL;
-- case: set not null of two columns, one proved
ALTER TABLE orders ALTER COLUMN total SET NOT NULL, ALTER COLUMN note SET NOT NULL;
-- case: set not null, with nulls
-- refused
ALTER TABLE visits ADD COLUMN x int;
ALTER TABLE visits ALTER COLUMN x SET NOT NULL;
-- case: set not null of a partitioned table
ALTER TABLE events ALTER COLUMN kind SET NOT NULL;
-- case: set not null of a partition
ALTER TABLE events_2020 ALTER COLUMN kind SET NOT NULL;
-- case: set not null of a partitioned table, a partition has it
ALTER TABLE events_2020 ALTER COLUMN kind SET NOT NULL;
ALTER TABLE events ALTER COLUMN kind SET NOT NULL;
-- case: set not null of a parent
ALTER TABLE animals ALTER COLUMN name SET NOT NULL;
-- case: set not null of only a parent
ALTER TABLE ONLY animals ALTER COLUMN name SET NOT NULL;
-- case: set not null of a foreign table
ALTER FOREIGN TABLE far_orders ALTER COLUMN note SET NOT NULL;
-- case: drop not null
ALTER TABLE customers ALTER COLUMN name DROP NOT NULL;
-- case: drop not null that is not there
ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;
-- case: drop not null of a primary key
-- refused
ALTER TABLE orders ALTER COLUMN id DROP NOT NULL;
-- case: drop not null of a partitioned table
ALTER TABLE visits ALTER COLUMN region DROP NOT NULL;
-- case: drop not null of an identity column
-- refused
ALTER TABLE orders ALTER COLUMN id DROP NOT NULL;
-- case: add a named not null
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT note_known NOT NULL note;
-- case: add a named not null, not valid
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT note_known NOT NULL note NOT VALID;
-- case: validate a named not null
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT note_known NOT NULL note NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT note_known;
-- case: set not null over one that is not valid
-- versions: 18-
ALTER TABLE orders ADD CONSTRAINT note_known NOT NULL note NOT VALID;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
-- case: drop a named not null
-- versions: 18-
ALTER TABLE customers DROP CONSTRAINT customers_name_not_null;
-- case: a named not null on a parent
-- versions: 18-
ALTER TABLE animals ADD CONSTRAINT name_known NOT NULL name;
-- case: a named not null on a parent, not inherited
-- versions: 18-
ALTER TABLE animals ADD CONSTRAINT name_known NOT NULL name NO INHERIT;
-- case: a named not null on a partitioned table, not valid
-- versions: 18-
ALTER TABLE events ADD CONSTRAINT kind_known NOT NULL kind NOT VALID;
-- case: validate a not null of a partitioned table
-- versions: 18-
ALTER TABLE events ADD CONSTRAINT kind_known NOT NULL kind NOT VALID;
ALTER TABLE events VALIDATE CONSTRAINT kind_known;
-- case: a not null's inheritance
-- versions: 18-
ALTER TABLE animals ADD CONSTRAINT name_known NOT NULL name NO INHERIT;
ALTER TABLE animals ALTER CONSTRAINT name_known INHERIT;
-- case: add identity
ALTER TABLE customers ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
-- case: set identity
ALTER TABLE orders ALTER COLUMN id SET GENERATED ALWAYS;
-- case: restart identity
ALTER TABLE orders ALTER COLUMN id RESTART WITH 1000;
-- case: set the identity's sequence
ALTER TABLE orders ALTER COLUMN id SET INCREMENT BY 10 SET CACHE 5;
-- case: drop identity
ALTER TABLE orders ALTER COLUMN id DROP IDENTITY;
-- case: drop identity if there
ALTER TABLE customers ALTER COLUMN id DROP IDENTITY IF EXISTS;
-- case: drop identity that is not there
-- refused
ALTER TABLE customers ALTER COLUMN id DROP IDENTITY;
-- case: drop expression
ALTER TABLE invoices ALTER COLUMN gross DROP EXPRESSION;
-- case: drop expression if there
ALTER TABLE invoices ALTER COLUMN net DROP EXPRESSION IF EXISTS;
-- case: set expression
-- versions: 17-
ALTER TABLE invoices ALTER COLUMN gross SET EXPRESSION AS (net * 2);
-- case: set expression of a virtual column
-- versions: 18-
ALTER TABLE loose ADD COLUMN half int GENERATED ALWAYS AS (a / 2) VIRTUAL;
ALTER TABLE loose ALTER COLUMN half SET EXPRESSION AS (a / 3);
-- case: set expression of a virtual column, on a table with a check
-- versions: 18
-- refused
ALTER TABLE invoices ADD COLUMN half numeric GENERATED ALWAYS AS (net / 2) VIRTUAL;
ALTER TABLE invoices ALTER COLUMN half SET EXPRESSION AS (net / 3);
-- case: set expression of a virtual column, on a table with a check, since 19
-- versions: 19-
ALTER TABLE invoices ADD COLUMN half numeric GENERATED ALWAYS AS (net / 2) VIRTUAL;
ALTER TABLE invoices ALTER COLUMN half SET EXPRESSION AS (net / 3);
-- case: set statistics
ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500;
-- case: set statistics of a column by number
ALTER INDEX orders_lower_note_idx ALTER COLUMN 1 SET STATISTICS 100;
-- case: set statistics of a partitioned table
ALTER TABLE events ALTER COLUMN kind SET STATISTICS 500;
-- case: set statistics of only a partitioned table
ALTER TABLE ONLY events ALTER COLUMN kind SET STATISTICS 500;
-- case: set statistics of a parent
ALTER TABLE animals ALTER COLUMN name SET STATISTICS 500;
-- case: set statistics of a materialized view
ALTER MATERIALIZED VIEW sales ALTER COLUMN total SET STATISTICS 500;
-- case: set n_distinct
ALTER TABLE orders ALTER COLUMN status SET (n_distinct = 7);
-- case: reset n_distinct
ALTER TABLE orders ALTER COLUMN status RESET (n_distinct);
-- case: set n_distinct of a parent
ALTER TABLE animals ALTER COLUMN name SET (n_distinct = 7);
-- case: options of a foreign column
ALTER FOREIGN TABLE far_orders ALTER COLUMN note OPTIONS (ADD remote 'x');
-- case: options of a foreign table
ALTER FOREIGN TABLE far_orders OPTIONS (ADD remote 'x');
-- case: set storage
ALTER TABLE orders ALTER COLUMN note SET STORAGE EXTERNAL;
-- case: set storage of a partitioned table
ALTER TABLE events ALTER COLUMN kind SET STORAGE EXTERNAL;
-- case: set storage default
-- versions: 16-
ALTER TABLE orders ALTER COLUMN note SET STORAGE DEFAULT;
-- case: set compression
ALTER TABLE orders ALTER COLUMN note SET COMPRESSION pglz;
-- case: set compression of a partitioned table
ALTER TABLE events ALTER COLUMN kind SET COMPRESSION pglz;

-- case: drop a column
ALTER TABLE orders DROP COLUMN note;
-- case: drop a column without anything on it
ALTER TABLE orders DROP COLUMN padding;
-- case: drop a column if there
ALTER TABLE orders DROP COLUMN IF EXISTS nothing;
-- case: drop a column that is not there
-- refused
ALTER TABLE orders DROP COLUMN nothing;
-- case: drop a column with an index
ALTER TABLE orders DROP COLUMN tags;
-- case: drop a column that a materialized view reads
-- refused
ALTER TABLE orders DROP COLUMN status;
-- case: drop a column in an index's predicate, and read by a materialized view, cascade
ALTER TABLE orders DROP COLUMN status CASCADE;
-- case: drop a column in an index's predicate
CREATE INDEX loose_c ON loose (b) WHERE c = 'x';
ALTER TABLE loose DROP COLUMN c;
-- case: drop a column in a check
ALTER TABLE customers DROP COLUMN score;
-- case: drop a column in a unique constraint
ALTER TABLE customers DROP COLUMN email;
-- case: drop a column that a view reads
-- refused
ALTER TABLE orders DROP COLUMN total;
-- case: drop a column that a view reads, cascade
ALTER TABLE orders DROP COLUMN total CASCADE;
-- case: drop a column with a foreign key, cascade
ALTER TABLE orders DROP COLUMN customer_id CASCADE;
-- case: drop a column with a foreign key
ALTER TABLE items DROP COLUMN order_id;
-- case: drop a column that foreign keys refer to
-- refused
ALTER TABLE customers DROP COLUMN id;
-- case: drop a column that foreign keys refer to, cascade
ALTER TABLE customers DROP COLUMN id CASCADE;
-- case: drop a column in a key to itself
ALTER TABLE employees DROP COLUMN boss;
-- case: drop a primary key's column
ALTER TABLE notices DROP COLUMN id CASCADE;
-- case: drop an identity column, cascade
ALTER TABLE orders DROP COLUMN id CASCADE;
-- case: drop a serial column
ALTER TABLE invoices DROP COLUMN id;
-- case: drop a column that a generated one needs
-- versions: 15-
-- refused
ALTER TABLE invoices DROP COLUMN net;
-- case: drop a column that a generated one needs, which goes too
-- versions: 14
ALTER TABLE invoices DROP COLUMN net;
-- case: drop a column that a generated one needs, cascade
ALTER TABLE invoices DROP COLUMN net CASCADE;
-- case: drop a column of a materialized view
-- refused
ALTER TABLE sales DROP COLUMN IF EXISTS nothing;
-- case: drop a column of a partitioned table
ALTER TABLE events DROP COLUMN amount;
-- case: drop an indexed column of a partitioned table
ALTER TABLE events DROP COLUMN customer_id;
-- case: drop the partition key
-- refused
ALTER TABLE visits DROP COLUMN region;
-- case: drop a column of a partition
-- refused
ALTER TABLE events_2020 DROP COLUMN amount;
-- case: drop a column of a parent
ALTER TABLE animals DROP COLUMN name;
-- case: drop a column of only a parent
ALTER TABLE ONLY animals DROP COLUMN name;
-- case: drop a column with a check of a parent
ALTER TABLE animals DROP COLUMN legs;
-- case: drop several columns
ALTER TABLE orders DROP COLUMN padding, DROP COLUMN reference;
-- case: drop a column with a policy
-- refused
CREATE POLICY by_line ON notices USING (line = 'x');
ALTER TABLE notices DROP COLUMN line;
-- case: drop a column that a trigger names
CREATE TRIGGER on_line AFTER UPDATE OF line ON notices FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE notices DROP COLUMN line CASCADE;
-- case: drop a column of a foreign table
ALTER FOREIGN TABLE far_orders DROP COLUMN note;
-- case: drop a column and add it again
ALTER TABLE orders DROP COLUMN padding, ADD COLUMN padding int DEFAULT 1;
