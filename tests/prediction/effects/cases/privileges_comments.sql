-- GRANT, OWNER, COMMENT, SECURITY LABEL, publications.

-- case: grant on a table
GRANT SELECT ON orders TO clerk;
-- case: grant all on a table
GRANT ALL ON TABLE orders TO clerk WITH GRANT OPTION;
-- case: grant on columns
GRANT UPDATE (note, total) ON orders TO clerk;
-- case: grant on several
GRANT INSERT ON orders, customers TO PUBLIC;
-- case: grant on all tables
GRANT SELECT ON ALL TABLES IN SCHEMA archive TO clerk;
-- case: grant on all tables of the schema
GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk;
-- case: grant on a sequence
GRANT USAGE ON SEQUENCE tickets TO clerk;
-- case: grant on all sequences
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk;
-- case: grant on a schema
GRANT USAGE ON SCHEMA archive TO clerk;
-- case: grant on a function
GRANT EXECUTE ON FUNCTION touch() TO clerk;
-- case: grant on the database
GRANT CONNECT ON DATABASE postgres TO clerk;
-- case: grant on a type
GRANT USAGE ON TYPE mood TO clerk;
-- case: grant a role
GRANT pg_monitor TO clerk;
-- case: revoke
REVOKE ALL ON orders FROM clerk;
-- case: revoke from everybody
REVOKE SELECT ON orders FROM PUBLIC;
-- case: revoke on all tables
REVOKE ALL ON ALL TABLES IN SCHEMA archive FROM clerk;
-- case: default privileges
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO clerk;
-- case: owner of a table
ALTER TABLE orders OWNER TO clerk;
-- case: owner of a table without index
ALTER TABLE loose OWNER TO clerk;
-- case: owner of a table to whom it belongs
-- gap: to whom something belongs is not known
ALTER TABLE orders OWNER TO CURRENT_USER;
-- case: owner of a table with a serial
ALTER TABLE invoices OWNER TO clerk;
-- case: owner of a foreign table
ALTER FOREIGN TABLE far_orders OWNER TO clerk;
-- case: owner of a sequence
ALTER SEQUENCE tickets OWNER TO clerk;
-- case: owner of a schema
ALTER SCHEMA archive OWNER TO clerk;
-- case: owner of a function
ALTER FUNCTION touch() OWNER TO clerk;
-- case: reassign
REASSIGN OWNED BY clerk TO CURRENT_USER;
-- case: comment on a table
COMMENT ON TABLE orders IS 'x';
-- case: comment on a column
COMMENT ON COLUMN orders.note IS 'x';
-- case: comment on a check
COMMENT ON CONSTRAINT orders_price_positive ON orders IS 'x';
-- case: comment on a sequence
COMMENT ON SEQUENCE tickets IS 'x';
-- case: comment on a schema
COMMENT ON SCHEMA archive IS 'x';
-- case: comment on a function
COMMENT ON FUNCTION touch() IS 'x';
-- case: comment on a foreign table
COMMENT ON FOREIGN TABLE far_orders IS 'x';
-- case: comment on an extension
COMMENT ON EXTENSION plpgsql IS 'x';
-- case: comment on the database
COMMENT ON DATABASE postgres IS 'x';
-- case: remove a comment
COMMENT ON TABLE orders IS NULL;
-- case: publish a table
CREATE PUBLICATION p FOR TABLE orders;
-- case: publish several
CREATE PUBLICATION p FOR TABLE orders, customers;
-- case: publish only a parent
CREATE PUBLICATION p FOR TABLE ONLY animals;
-- case: publish a parent
CREATE PUBLICATION p FOR TABLE animals;
-- case: publish columns and rows
-- versions: 15-
CREATE PUBLICATION p FOR TABLE orders (id, note) WHERE (id > 5);
-- case: publish a schema
-- versions: 15-
CREATE PUBLICATION p FOR TABLES IN SCHEMA archive;
-- case: publish everything
CREATE PUBLICATION p FOR ALL TABLES;
-- case: publish another table
ALTER PUBLICATION news ADD TABLE orders;
-- case: publish other tables
ALTER PUBLICATION news SET TABLE orders;
-- case: publish a table no longer
ALTER PUBLICATION news DROP TABLE notices;
-- case: publish other things
ALTER PUBLICATION news SET (publish = 'insert');
-- case: owner of a publication
ALTER PUBLICATION news OWNER TO CURRENT_USER;
-- case: security label
-- refused
SECURITY LABEL ON TABLE orders IS 'x';
