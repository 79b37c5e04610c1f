-- Code that runs several statements as one: DO blocks and functions.

-- case: a table that a block creates and changes
DO $$ BEGIN CREATE TABLE fresh (id integer); ALTER TABLE fresh ADD UNIQUE (id); ALTER TABLE fresh ADD FOREIGN KEY (id) REFERENCES customers; END $$;
-- case: a table that a function creates and changes
CREATE FUNCTION migrate() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE 'CREATE TABLE fresh (id integer, kind integer)';
    EXECUTE 'ALTER TABLE fresh DROP COLUMN kind';
    EXECUTE 'CREATE INDEX ON fresh (id)';
    UPDATE customers SET name = 'x';
END $$;
SELECT migrate();
-- case: a table that a block drops and creates again
CREATE TABLE passing (id integer);
DO $$ BEGIN DROP TABLE passing; CREATE TABLE passing (id integer); ALTER TABLE passing ADD PRIMARY KEY (id); END $$;
-- case: a table that a block creates and drops
DO $$ BEGIN CREATE TABLE fresh (id integer); DROP TABLE fresh; END $$;
-- case: a function that builds several statements one after the other in one variable
CREATE FUNCTION extend(schema_name text, table_name text, referenced text DEFAULT 'customers', note text DEFAULT now()::text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    command text;
BEGIN
    command := concat('ALTER TABLE ', schema_name, '.', table_name, ' ADD created_by integer REFERENCES ', referenced, '(id)');
    EXECUTE(command);
    command := 'CREATE INDEX ON ' || schema_name || '.' || table_name || ' (created_by)';
    EXECUTE(command);
END $$;
SELECT extend('public', 'orders');
-- case: the names of parameters in a call
CREATE FUNCTION extend(schema_name text, table_name text, referenced text DEFAULT 'orders') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I.%I ADD created_by integer REFERENCES %I', schema_name, table_name, referenced);
END $$;
SELECT extend('public', referenced => 'customers', table_name := 'orders');
-- case: a table that a block renames and changes
DO $$ BEGIN ALTER TABLE orders RENAME TO sold; ALTER TABLE sold ADD kind integer; ALTER INDEX orders_pkey RENAME TO sold_pkey; END $$;
-- case: two tables that a block exchanges
DO $$ BEGIN
    ALTER TABLE items RENAME TO passing;
    ALTER TABLE customers RENAME TO items;
    COMMENT ON TABLE items IS 'were customers';
    ALTER TABLE passing RENAME TO customers;
    ALTER TABLE customers SET (fillfactor = 90);
END $$;
-- case: a block that builds the statement in the branches of an IF
DO $$ DECLARE command text; BEGIN
    command := 'ALTER TABLE orders ADD note2 text';
    IF to_regclass('customers') IS NOT NULL THEN command := command || ', ADD note3 text'; END IF;
    EXECUTE command;
END $$;
-- case: a function whose branches choose the statement for the table in its argument
CREATE FUNCTION protect(name text, table_name text) RETURNS void LANGUAGE plpgsql AS $$ DECLARE command text; BEGIN
    IF EXISTS (SELECT FROM pg_policies WHERE policyname = name) THEN
        command := 'ALTER POLICY ' || quote_ident(name) || ' ON ' || quote_ident(table_name);
    ELSE
        command := 'CREATE POLICY ' || quote_ident(name) || ' ON ' || quote_ident(table_name);
    END IF;
    EXECUTE command || ' USING (true)';
END $$;
DO $$ BEGIN PERFORM protect('all_orders', 'orders'); END $$;
-- case: a block that goes through an array of tables
DO $$ DECLARE t text; tables text[] := ARRAY['orders', 'customers']; BEGIN
    FOREACH t IN ARRAY tables LOOP EXECUTE format('ALTER TABLE %I ADD COLUMN touched_at timestamptz', t); END LOOP;
END $$;
-- case: a block that goes through the elements of an array by query
DO $$ DECLARE t text; BEGIN
    FOR t IN SELECT unnest(ARRAY['orders', 'customers']) LOOP EXECUTE format('CREATE INDEX ON %I (id)', t); END LOOP;
END $$;
-- case: a block that goes through the elements of an array by subscript
DO $$ DECLARE tables text[] := '{orders,customers}'; BEGIN
    FOR i IN 1 .. array_length(tables, 1) LOOP EXECUTE 'ALTER TABLE ' || quote_ident(tables[i]) || ' ENABLE ROW LEVEL SECURITY'; END LOOP;
END $$;
