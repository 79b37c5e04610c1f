-- USING INDEX with a partial index
CREATE TABLE orders (id bigint, code text);
CREATE UNIQUE INDEX orders_code_idx ON orders (code) WHERE code <> '';
-- refused: "orders_code_idx" is a partial index
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE USING INDEX orders_code_idx;

-- USING INDEX with an expression
CREATE TABLE orders (id bigint, code text);
CREATE UNIQUE INDEX orders_code_idx ON orders (lower(code));
-- refused: index "orders_code_idx" contains expressions
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE USING INDEX orders_code_idx;

-- USING INDEX with an index that is not unique
CREATE TABLE orders (id bigint, code text);
CREATE INDEX orders_code_idx ON orders (code);
-- refused: "orders_code_idx" is not a unique index
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE USING INDEX orders_code_idx;

-- USING INDEX with a descending index
CREATE TABLE orders (id bigint, code text);
CREATE UNIQUE INDEX orders_code_idx ON orders (code DESC);
-- refused: index "orders_code_idx" column number 1 does not have default sorting behavior
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE USING INDEX orders_code_idx;

-- USING INDEX with an index of another table
CREATE TABLE orders (id bigint, code text);
CREATE TABLE parcels (id bigint);
CREATE UNIQUE INDEX parcels_id_idx ON parcels (id);
-- refused: index "parcels_id_idx" does not belong to table "orders"
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE USING INDEX parcels_id_idx;

-- USING INDEX with the index of a constraint
CREATE TABLE orders (id bigint, code text CONSTRAINT orders_code_key UNIQUE);
-- refused: index "orders_code_key" is already associated with a constraint
ALTER TABLE orders ADD CONSTRAINT orders_code_again UNIQUE USING INDEX orders_code_key;

-- USING INDEX with an index that does not exist
CREATE TABLE orders (id bigint, code text);
-- refused: index "orders_code_idx" does not exist
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE USING INDEX orders_code_idx;

-- USING INDEX with a plain unique index
CREATE TABLE orders (id bigint, code text);
CREATE UNIQUE INDEX orders_code_idx ON orders (code);
-- accepted
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE USING INDEX orders_code_idx;

-- a foreign key to a column without a unique constraint
CREATE TABLE depots (id bigint PRIMARY KEY, code text);
CREATE TABLE parcels (code text);
-- refused: there is no unique constraint matching given keys for referenced table "depots"
ALTER TABLE parcels ADD FOREIGN KEY (code) REFERENCES depots (code);

-- a foreign key to a partial unique index
CREATE TABLE depots (id bigint PRIMARY KEY, code text);
CREATE UNIQUE INDEX depots_code_idx ON depots (code) WHERE code <> '';
CREATE TABLE parcels (code text);
-- refused: there is no unique constraint matching given keys for referenced table "depots"
ALTER TABLE parcels ADD FOREIGN KEY (code) REFERENCES depots (code);

-- a foreign key to a unique index
CREATE TABLE depots (id bigint PRIMARY KEY, code text);
CREATE UNIQUE INDEX depots_code_idx ON depots (code);
CREATE TABLE parcels (code text);
-- accepted
ALTER TABLE parcels ADD FOREIGN KEY (code) REFERENCES depots (code);

-- a foreign key to a table without a primary key
CREATE TABLE depots (id bigint);
CREATE TABLE parcels (depot_id bigint);
-- refused: there is no primary key for referenced table "depots"
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a foreign key to some columns of a primary key
CREATE TABLE depots (id bigint, region bigint, PRIMARY KEY (id, region));
CREATE TABLE parcels (depot_id bigint);
-- refused: there is no unique constraint matching given keys for referenced table "depots"
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots (id);

-- a foreign key with too few columns
CREATE TABLE depots (id bigint, region bigint, PRIMARY KEY (id, region));
CREATE TABLE parcels (depot_id bigint);
-- refused: number of referencing and referenced columns for foreign key disagree
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a foreign key of another type
CREATE TABLE depots (id uuid PRIMARY KEY);
CREATE TABLE parcels (depot_id text);
-- refused: foreign key constraint "parcels_depot_id_fkey" cannot be implemented
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a foreign key from text to bigint in CREATE TABLE
CREATE TABLE depots (id bigint PRIMARY KEY);
-- refused: foreign key constraint "parcels_depot_id_fkey" cannot be implemented
CREATE TABLE parcels (depot_id text REFERENCES depots);

-- a foreign key from integer to bigint
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id integer);
-- accepted
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a foreign key from varchar to text
CREATE TABLE depots (id text PRIMARY KEY);
CREATE TABLE parcels (depot_id varchar(20));
-- accepted
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a foreign key from integer to numeric
CREATE TABLE depots (id numeric PRIMARY KEY);
CREATE TABLE parcels (depot_id integer);
-- accepted
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a permanent table references an unlogged one
CREATE UNLOGGED TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint);
-- refused: constraints on permanent tables may reference only permanent tables
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a permanent table references an unlogged one in CREATE TABLE
CREATE UNLOGGED TABLE depots (id bigint PRIMARY KEY);
-- refused: constraints on permanent tables may reference only permanent tables
CREATE TABLE parcels (depot_id bigint REFERENCES depots);

-- an unlogged table references a permanent one
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE UNLOGGED TABLE parcels (depot_id bigint);
-- accepted
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots;

-- a referenced table becomes unlogged
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint REFERENCES depots);
-- refused: could not change table "depots" to unlogged because it references logged table "parcels"
ALTER TABLE depots SET UNLOGGED;

-- a table that references an unlogged one becomes logged
CREATE UNLOGGED TABLE depots (id bigint PRIMARY KEY);
CREATE UNLOGGED TABLE parcels (depot_id bigint REFERENCES depots);
-- refused: could not change table "parcels" to logged because it references unlogged table "depots"
ALTER TABLE parcels SET LOGGED;

-- a second primary key
CREATE TABLE orders (id bigint PRIMARY KEY, code text);
-- refused: multiple primary keys for table "orders" are not allowed
ALTER TABLE orders ADD PRIMARY KEY (code);

-- two primary keys in CREATE TABLE
-- refused: multiple primary keys for table "orders" are not allowed
CREATE TABLE orders (id bigint PRIMARY KEY, code text, PRIMARY KEY (code));

-- a constraint that exists
CREATE TABLE orders (id bigint, CONSTRAINT positive CHECK (id > 0));
-- refused: constraint "positive" for relation "orders" already exists
ALTER TABLE orders ADD CONSTRAINT positive CHECK (id >= 0);

-- a unique constraint whose index exists
CREATE TABLE orders (id bigint, code text);
CREATE UNIQUE INDEX orders_code_key ON orders (code);
-- refused: relation "orders_code_key" already exists
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE (code);

-- VALIDATE of a constraint that does not exist
CREATE TABLE orders (id bigint);
-- refused: constraint "positive" of relation "orders" does not exist
ALTER TABLE orders VALIDATE CONSTRAINT positive;

-- the new name of a constraint exists
CREATE TABLE orders (id bigint, CONSTRAINT a CHECK (id > 0), CONSTRAINT b CHECK (id > 1));
-- refused: constraint "b" for relation "orders" already exists
ALTER TABLE orders RENAME CONSTRAINT a TO b;

-- a constraint of a column that does not exist
CREATE TABLE orders (id bigint);
-- refused: column "code" named in key does not exist
ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE (code);

-- a foreign key of a column that does not exist
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (id bigint);
-- refused: column "depot_id" referenced in foreign key constraint does not exist
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots (id);

-- a foreign key to a column that does not exist
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (depot_id bigint);
-- refused: column "number" referenced in foreign key constraint does not exist
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots (number);

-- a foreign key to a table that does not exist
CREATE TABLE depots (id bigint PRIMARY KEY);
DROP TABLE depots;
CREATE TABLE parcels (depot_id bigint);
-- refused: relation "depots" does not exist
ALTER TABLE parcels ADD FOREIGN KEY (depot_id) REFERENCES depots (id);

-- the enforcement of a CHECK
CREATE TABLE orders (id integer CONSTRAINT positive CHECK (id > 0));
-- not before 18
-- refused before 19: cannot alter enforceability of constraint "positive" of relation "orders"
ALTER TABLE orders ALTER CONSTRAINT positive NOT ENFORCED;

-- the enforcement of a primary key
CREATE TABLE orders (id integer CONSTRAINT orders_pkey PRIMARY KEY);
-- not before 18
-- refused: cannot alter enforceability of constraint "orders_pkey" of relation "orders"
ALTER TABLE orders ALTER CONSTRAINT orders_pkey NOT ENFORCED;

-- the enforcement of a foreign key
CREATE TABLE persons (id integer PRIMARY KEY);
CREATE TABLE orders (person integer CONSTRAINT person REFERENCES persons);
-- not before 18
-- accepted
ALTER TABLE orders ALTER CONSTRAINT person NOT ENFORCED;

-- the deferral of a unique constraint
CREATE TABLE orders (id integer CONSTRAINT once UNIQUE);
-- refused: constraint "once" of relation "orders" is not a foreign key constraint
ALTER TABLE orders ALTER CONSTRAINT once DEFERRABLE INITIALLY DEFERRED;

-- the deferral of a foreign key
CREATE TABLE persons (id integer PRIMARY KEY);
CREATE TABLE orders (person integer CONSTRAINT person REFERENCES persons);
-- accepted
ALTER TABLE orders ALTER CONSTRAINT person DEFERRABLE INITIALLY DEFERRED;

-- a constraint whose name is taken, although the block catches the error
CREATE TABLE depots (id bigint PRIMARY KEY);
CREATE TABLE parcels (id bigint CONSTRAINT parcels_id PRIMARY KEY, depot_id bigint);
DO $$ BEGIN
    ALTER TABLE parcels ADD CONSTRAINT parcels_id FOREIGN KEY (depot_id) REFERENCES depots;
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER TABLE parcels DROP CONSTRAINT parcels_id;
-- accepted
ALTER TABLE parcels ADD CONSTRAINT parcels_id PRIMARY KEY (id, depot_id);

-- a foreign key to a deferrable UNIQUE constraint
CREATE TABLE orders (id integer PRIMARY KEY, code text UNIQUE DEFERRABLE);
CREATE TABLE items (code text);
-- refused: cannot use a deferrable unique constraint for referenced table "orders"
ALTER TABLE items ADD FOREIGN KEY (code) REFERENCES orders (code);

-- a foreign key to a deferrable primary key
CREATE TABLE orders (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
-- refused: cannot use a deferrable primary key for referenced table "orders"
CREATE TABLE items (order_id integer REFERENCES orders);

-- a foreign key to the key of a table whose foreign key to itself is deferrable
CREATE TABLE orders (id integer PRIMARY KEY, parent integer REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
-- accepted
CREATE TABLE items (order_id integer REFERENCES orders);

-- a foreign key to a column that is unique twice, once at once
CREATE TABLE orders (id integer PRIMARY KEY, code text UNIQUE DEFERRABLE);
CREATE UNIQUE INDEX orders_code_idx ON orders (code);
CREATE TABLE items (code text);
-- accepted
ALTER TABLE items ADD FOREIGN KEY (code) REFERENCES orders (code);

-- a deferrable foreign key
CREATE TABLE orders (id integer PRIMARY KEY);
-- accepted
CREATE TABLE items (order_id integer REFERENCES orders DEFERRABLE INITIALLY DEFERRED);

-- an index with another operator class becomes a constraint
CREATE TABLE orders (code text);
CREATE UNIQUE INDEX orders_code_idx ON orders (code text_pattern_ops);
-- refused: index "orders_code_idx" column number 1 does not have default sorting behavior
ALTER TABLE orders ADD UNIQUE USING INDEX orders_code_idx;

-- an index with another collation becomes a constraint
CREATE TABLE orders (id integer, code text);
CREATE UNIQUE INDEX orders_code_idx ON orders (id, code COLLATE "C");
-- refused: index "orders_code_idx" column number 2 does not have default sorting behavior
ALTER TABLE orders ADD UNIQUE USING INDEX orders_code_idx;

-- an index with the collation of its column becomes a constraint
CREATE TABLE orders (code text COLLATE "C", name text);
CREATE UNIQUE INDEX orders_code_idx ON orders (code COLLATE "C", name COLLATE "default");
-- accepted
ALTER TABLE orders ADD UNIQUE USING INDEX orders_code_idx;

-- an index with the usual operator class becomes a constraint
CREATE TABLE orders (code text);
CREATE UNIQUE INDEX orders_code_idx ON orders (code text_ops);
-- accepted
ALTER TABLE orders ADD UNIQUE USING INDEX orders_code_idx;

-- a UNIQUE constraint that is not enforced
-- not before 18
CREATE TABLE orders (code text);
-- refused: UNIQUE constraints cannot be marked NOT ENFORCED
ALTER TABLE orders ADD UNIQUE (code) NOT ENFORCED;

-- a primary key that is not enforced
-- not before 18
-- refused: PRIMARY KEY constraints cannot be marked NOT ENFORCED
CREATE TABLE orders (id integer, PRIMARY KEY (id) NOT ENFORCED);

-- a CHECK that is not enforced
-- not before 18
-- accepted
CREATE TABLE orders (id integer, CHECK (id > 0) NOT ENFORCED);

-- a UNIQUE constraint of a new table that is not valid
-- refused: UNIQUE constraints cannot be marked NOT VALID
CREATE TABLE orders (code text, UNIQUE (code) NOT VALID);

-- a CHECK of a new table that is not valid
-- accepted
CREATE TABLE orders (id integer, CHECK (id > 0) NOT VALID);
