CREATE TABLE readers (id bigint PRIMARY KEY);
CREATE TABLE loans (id bigint PRIMARY KEY);
CREATE VIEW overdue AS SELECT id FROM loans;
CREATE FUNCTION fee(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE SCHEMA books;
GRANT SELECT, INSERT ON readers, loans, overdue TO desk;
GRANT EXECUTE ON FUNCTION fee TO desk;
GRANT USAGE ON SCHEMA books TO desk;
GRANT staff TO desk;
ALTER DEFAULT PRIVILEGES IN SCHEMA books GRANT SELECT ON TABLES TO desk;
CREATE TABLE books.titles (id bigint PRIMARY KEY);
CREATE VIEW books.lent AS SELECT id FROM books.titles;

-- next migration
REVOKE INSERT ON readers FROM desk; -- expect: privileges-revoked
REVOKE UPDATE ON readers FROM desk;
REVOKE SELECT ON readers FROM visitor;
REVOKE SELECT ON unknown FROM desk;
REVOKE EXECUTE ON FUNCTION fee FROM PUBLIC; -- expect: privileges-revoked
REVOKE EXECUTE ON FUNCTION stamp() FROM PUBLIC;
REVOKE USAGE ON SCHEMA books FROM desk; -- expect: privileges-revoked
REVOKE staff FROM desk; -- expect: privileges-revoked
REVOKE SELECT ON books.titles FROM desk; -- expect: privileges-revoked
ALTER DEFAULT PRIVILEGES IN SCHEMA books REVOKE SELECT ON TABLES FROM desk; -- expect: privileges-revoked
ALTER DEFAULT PRIVILEGES REVOKE DELETE ON TABLES FROM desk;
REASSIGN OWNED BY desk TO staff; -- expect: privileges-revoked

-- next migration
-- what is granted again, or dropped
REVOKE ALL ON loans FROM desk;
GRANT SELECT, INSERT ON loans TO desk;
REVOKE ALL ON overdue FROM desk;
DROP VIEW overdue; -- expect: drop-object
CREATE TABLE fines (id bigint PRIMARY KEY);
GRANT SELECT ON fines TO desk;
REVOKE SELECT ON fines FROM desk;

-- next migration
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM desk; -- expect: privileges-revoked
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM desk;

-- next migration
CREATE VIEW overdue AS SELECT id FROM loans;
GRANT SELECT ON overdue TO desk;

-- next migration
BEGIN;
DROP VIEW overdue; -- expect: grants-lost
CREATE VIEW overdue AS SELECT id, 1 AS n FROM loans;
DROP VIEW books.lent; -- expect: grants-lost
CREATE VIEW books.lent AS SELECT id, 1 AS n FROM books.titles;
DROP FUNCTION fee(int); -- expect: grants-lost
CREATE FUNCTION fee(a int) RETURNS bigint LANGUAGE sql AS 'SELECT a';
COMMIT;

-- next migration
GRANT SELECT ON overdue TO desk;

-- next migration
BEGIN;
DROP VIEW overdue;
CREATE VIEW overdue AS SELECT id FROM loans;
GRANT SELECT ON overdue TO desk;
COMMIT;

-- next migration
-- the view is dropped with its table
BEGIN;
DROP TABLE loans CASCADE; -- expect: drop-table -- expect: grants-lost
CREATE TABLE loans (id bigint PRIMARY KEY);
CREATE VIEW overdue AS SELECT id FROM loans;
COMMIT;

-- next migration
GRANT ALL ON readers TO desk; -- expect: grant-widened
GRANT SELECT ON readers TO PUBLIC;
GRANT ALL ON SCHEMA books TO desk;

-- next migration
GRANT ALL ON FUNCTION fee TO desk;
GRANT EXECUTE ON FUNCTION fee TO PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
GRANT SELECT ON readers TO desk;
GRANT staff TO desk;
CREATE TABLE fees (id bigint PRIMARY KEY);
GRANT ALL ON fees TO desk;

-- next migration
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; -- expect: grant-widened

-- next migration
CREATE TABLE fines (id bigint PRIMARY KEY, paid boolean, waived boolean);
CREATE VIEW open_fines AS SELECT id FROM fines WHERE NOT paid;
CREATE VIEW other_fines AS SELECT id FROM fines WHERE NOT waived;
GRANT SELECT ON open_fines, other_fines TO desk;

-- next migration
-- a view that is dropped with a column
BEGIN;
ALTER TABLE fines DROP COLUMN paid CASCADE; -- expect: drop-column -- expect: grants-lost
ALTER TABLE fines DROP COLUMN waived CASCADE; -- expect: drop-column
CREATE OR REPLACE VIEW open_fines AS SELECT id FROM fines;
CREATE VIEW other_fines AS SELECT id FROM fines;
GRANT SELECT ON other_fines TO desk;
COMMIT;
