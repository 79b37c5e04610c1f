-- INSTEAD OF on a table
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: "a" is a table
CREATE TRIGGER t INSTEAD OF UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f();

-- a row trigger BEFORE an INSERT into a view
CREATE TABLE a (id bigint, n int);
CREATE VIEW v AS SELECT id FROM a;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: "v" is a view
CREATE TRIGGER t BEFORE INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();

-- a statement trigger of a view
CREATE TABLE a (id bigint, n int);
CREATE VIEW v AS SELECT id FROM a;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- accepted
CREATE TRIGGER t AFTER INSERT ON v FOR EACH STATEMENT EXECUTE FUNCTION f();

-- a trigger of a materialized view
CREATE TABLE a (id bigint, n int);
CREATE MATERIALIZED VIEW v AS SELECT id FROM a;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused before 15: "v" is not a table or view
-- refused: relation "v" cannot have triggers
CREATE TRIGGER t AFTER INSERT ON v FOR EACH STATEMENT EXECUTE FUNCTION f();

-- TRUNCATE of a row
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: TRUNCATE FOR EACH ROW triggers are not supported
CREATE TRIGGER t BEFORE TRUNCATE ON a FOR EACH ROW EXECUTE FUNCTION f();

-- a transition table BEFORE the statement
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: transition table name can only be specified for an AFTER trigger
CREATE TRIGGER t BEFORE UPDATE ON a REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION f();

-- a transition table for two events
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: transition tables cannot be specified for triggers with more than one event
CREATE TRIGGER t AFTER INSERT OR UPDATE ON a REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION f();

-- the former rows of an INSERT as a transition table
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: OLD TABLE can only be specified for a DELETE or UPDATE trigger
CREATE TRIGGER t AFTER INSERT ON a REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION f();

-- transition tables of an UPDATE
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- accepted
CREATE TRIGGER t AFTER UPDATE ON a REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f();

-- OLD in the condition of an INSERT
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: INSERT trigger's WHEN condition cannot reference OLD values
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON a FOR EACH ROW WHEN (OLD.n IS DISTINCT FROM NEW.n) EXECUTE FUNCTION f();

-- NEW in the condition of a DELETE
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: DELETE trigger's WHEN condition cannot reference NEW values
CREATE TRIGGER t AFTER DELETE ON a FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION f();

-- a row in the condition of a statement trigger
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: statement trigger's WHEN condition cannot reference column values
CREATE TRIGGER t AFTER UPDATE ON a WHEN (NEW.n > 0) EXECUTE FUNCTION f();

-- a condition over whole rows
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- accepted
CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION f();

-- a missing column in UPDATE OF
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: column "title" of relation "a" does not exist
CREATE TRIGGER t BEFORE UPDATE OF n, title ON a FOR EACH ROW EXECUTE FUNCTION f();

-- a missing column in the condition
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- refused: column new.title does not exist
CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW WHEN (NEW.title IS NULL) EXECUTE FUNCTION f();

-- a function that returns nothing
CREATE TABLE a (id bigint, n int);
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
-- refused: function f must return type trigger
CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f();

-- a row trigger with a transition table on a partitioned table
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- refused: "trips" is a partitioned table
CREATE TRIGGER t AFTER INSERT ON trips REFERENCING NEW TABLE AS added FOR EACH ROW EXECUTE FUNCTION note();

-- a statement trigger with a transition table on a partitioned table
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- accepted
CREATE TRIGGER t AFTER INSERT ON trips REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note();

-- a row trigger with a transition table on a partition
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- refused: ROW triggers with transition tables are not supported on partitions
CREATE TRIGGER t AFTER INSERT ON trips_2025 REFERENCING NEW TABLE AS added FOR EACH ROW EXECUTE FUNCTION note();

-- a row trigger with a transition table on a child
CREATE TABLE vehicles (id bigint NOT NULL);
CREATE TABLE vans () INHERITS (vehicles);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- refused: ROW triggers with transition tables are not supported on inheritance children
CREATE TRIGGER t AFTER INSERT ON vans REFERENCING NEW TABLE AS added FOR EACH ROW EXECUTE FUNCTION note();

-- a row trigger with a transition table on a parent
CREATE TABLE vehicles (id bigint NOT NULL);
CREATE TABLE vans () INHERITS (vehicles);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- accepted
CREATE TRIGGER t AFTER INSERT ON vehicles REFERENCING NEW TABLE AS added FOR EACH ROW EXECUTE FUNCTION note();

-- a constraint trigger that is replaced
CREATE TABLE trips (id bigint NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- refused: CREATE OR REPLACE CONSTRAINT TRIGGER is not supported
CREATE OR REPLACE CONSTRAINT TRIGGER t AFTER INSERT ON trips FOR EACH ROW EXECUTE FUNCTION note();

-- an event trigger with a function for rows
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- refused: function note must return type event_trigger
CREATE EVENT TRIGGER notes ON ddl_command_end EXECUTE FUNCTION note();

-- an event trigger with its function
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
-- accepted
CREATE EVENT TRIGGER notes ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE PROCEDURE note();

-- an event trigger whose function is gone
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
DROP FUNCTION note();
-- refused: function note() does not exist
CREATE EVENT TRIGGER notes ON ddl_command_end EXECUTE FUNCTION note();

-- an event trigger that exists
DROP EVENT TRIGGER IF EXISTS notes;
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER notes ON sql_drop EXECUTE FUNCTION note();
-- refused: event trigger "notes" already exists
CREATE EVENT TRIGGER notes ON ddl_command_end EXECUTE FUNCTION note();

-- an event trigger with the former name of another
DROP EVENT TRIGGER IF EXISTS notes;
DROP EVENT TRIGGER IF EXISTS old_notes;
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER notes ON sql_drop EXECUTE FUNCTION note();
ALTER EVENT TRIGGER notes RENAME TO old_notes;
-- accepted
CREATE EVENT TRIGGER notes ON ddl_command_end EXECUTE FUNCTION note();

-- the function of an event trigger
DROP EVENT TRIGGER IF EXISTS notes;
DROP EVENT TRIGGER IF EXISTS old_notes;
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER notes ON sql_drop EXECUTE FUNCTION note();
-- refused: cannot drop function note() because other objects depend on it
DROP FUNCTION note();

-- the function of an event trigger that is gone
DROP EVENT TRIGGER IF EXISTS notes;
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER notes ON sql_drop EXECUTE FUNCTION note();
DROP EVENT TRIGGER notes;
-- accepted
DROP FUNCTION note();
