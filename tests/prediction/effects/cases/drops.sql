-- DROP of everything, with what depends on it.

-- case: table
DROP TABLE loose;
-- case: table with indexes
DROP TABLE keyed;
-- case: table with a trigger, a rule and a policy
DROP TABLE notices;
-- case: table with a serial
DROP TABLE invoices;
-- case: table that refers to others
DROP TABLE items;
-- case: table that refers to others, with a key that is not valid
DROP TABLE returns;
-- case: table that others refer to
-- refused
DROP TABLE customers;
-- case: table that others refer to, cascade
DROP TABLE customers CASCADE;
-- case: table that views read
-- refused
DROP TABLE orders;
-- case: table that views read, cascade
DROP TABLE orders CASCADE;
-- case: table that refers to itself
DROP TABLE employees;
-- case: tables that refer to each other
DROP TABLE hens, eggs;
-- case: table if there
DROP TABLE IF EXISTS nothing;
-- case: table and one that is not there
DROP TABLE IF EXISTS loose, nothing;
-- case: table in another schema
DROP TABLE archive.orders;
-- case: table that refers to a partitioned one
DROP TABLE event_notes;
-- case: foreign table
DROP FOREIGN TABLE far_orders;
-- case: server, cascade
-- gap: the foreign tables of a server are not known
DROP SERVER far CASCADE;
-- case: foreign data wrapper, cascade
-- gap: the foreign tables of a wrapper are not known
DROP FOREIGN DATA WRAPPER nowhere CASCADE;
-- case: schema
-- refused
DROP SCHEMA archive;
-- case: schema, cascade
DROP SCHEMA archive CASCADE;
-- case: sequence
DROP SEQUENCE tickets;
-- case: sequence in a default
-- refused
DROP SEQUENCE invoices_id_seq;
-- case: sequence in a default, cascade
DROP SEQUENCE invoices_id_seq CASCADE;
-- case: type
DROP TYPE address CASCADE;
-- case: type in use
-- refused
DROP TYPE mood;
-- case: enum, cascade
DROP TYPE mood CASCADE;
-- case: domain in use
-- refused
DROP DOMAIN amount;
-- case: domain, cascade
DROP DOMAIN amount CASCADE;
-- case: function of a trigger
-- refused
DROP FUNCTION touch();
-- case: function of a trigger, cascade
DROP FUNCTION touch() CASCADE;
-- case: function that nothing uses
DROP FUNCTION always_one();
-- case: function in a default, cascade
ALTER TABLE loose ALTER COLUMN a SET DEFAULT always_one();
DROP FUNCTION always_one() CASCADE;
-- case: function in a check, cascade
ALTER TABLE loose ADD CHECK (a > always_one() - 5);
DROP FUNCTION always_one() CASCADE;
-- case: function in an index, cascade
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE INDEX i ON loose (twice(a));
DROP FUNCTION twice(int) CASCADE;
-- case: function in a view, cascade
CREATE VIEW v AS SELECT always_one() AS one FROM loose;
DROP FUNCTION always_one() CASCADE;
-- case: trigger
DROP TRIGGER notices_touch ON notices;
-- case: trigger if there
DROP TRIGGER IF EXISTS nothing ON notices;
-- case: constraint trigger
DROP TRIGGER notices_check ON notices;
-- case: rule
DROP RULE notices_keep ON notices;
-- case: rule if there
DROP RULE IF EXISTS nothing ON notices;
-- case: trigger if there, of a view
DROP TRIGGER IF EXISTS nothing ON large_orders;
-- case: trigger of a view
CREATE TRIGGER t INSTEAD OF INSERT ON large_orders FOR EACH ROW EXECUTE FUNCTION touch();
DROP TRIGGER IF EXISTS t ON large_orders;
-- case: rule if there, of a view
DROP RULE IF EXISTS nothing ON large_orders;
-- case: rule of a view
CREATE RULE r AS ON DELETE TO large_orders DO INSTEAD NOTHING;
DROP RULE IF EXISTS r ON large_orders;
-- case: trigger if there, of a materialized view
DROP TRIGGER IF EXISTS nothing ON sales;
-- case: rule if there, of a materialized view
DROP RULE IF EXISTS nothing ON sales;
-- case: policy
DROP POLICY notices_read ON notices;
-- case: policy if there
DROP POLICY IF EXISTS nothing ON notices;
-- case: publication
DROP PUBLICATION news;
-- case: role
DROP ROLE IF EXISTS nobody_there;
-- case: owned by
DROP OWNED BY clerk;
-- case: collation
CREATE COLLATION other FROM "C";
DROP COLLATION other;
-- case: extension, cascade
DROP EXTENSION IF EXISTS nothing CASCADE;
-- case: materialized view and a table, cascade
DROP TABLE orders, customers CASCADE;
-- case: aggregate
CREATE AGGREGATE sum2(int) (SFUNC = int4pl, STYPE = int);
DROP AGGREGATE sum2(int);
