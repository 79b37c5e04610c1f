-- Triggers, rules, row security.

-- case: create a trigger
CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch();
-- case: create a statement trigger
CREATE TRIGGER t AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION touch();
-- case: create a trigger with a condition
CREATE TRIGGER t BEFORE UPDATE OF note ON orders FOR EACH ROW WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION touch();
-- case: create a trigger with transition tables
CREATE TRIGGER t AFTER UPDATE ON orders REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touch();
-- case: replace a trigger
CREATE OR REPLACE TRIGGER notices_touch BEFORE INSERT ON notices FOR EACH ROW EXECUTE FUNCTION touch();
-- case: create a constraint trigger
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touch();
-- case: create a constraint trigger from another table
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON orders FROM customers FOR EACH ROW EXECUTE FUNCTION touch();
-- case: create a trigger on a foreign table
CREATE TRIGGER t BEFORE INSERT ON far_orders FOR EACH ROW EXECUTE FUNCTION touch();
-- case: create an event trigger
CREATE FUNCTION happened() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION happened();
-- case: trigger depends on an extension
ALTER TRIGGER notices_touch ON notices DEPENDS ON EXTENSION plpgsql;
-- case: trigger depends on an extension no more
ALTER TRIGGER notices_touch ON notices NO DEPENDS ON EXTENSION plpgsql;
-- case: disable a trigger
ALTER TABLE notices DISABLE TRIGGER notices_touch;
-- case: enable a trigger
ALTER TABLE notices ENABLE TRIGGER notices_touch;
-- case: enable a trigger always
ALTER TABLE notices ENABLE ALWAYS TRIGGER notices_touch;
-- case: enable a trigger on a replica
ALTER TABLE notices ENABLE REPLICA TRIGGER notices_touch;
-- case: disable all triggers
ALTER TABLE orders DISABLE TRIGGER ALL;
-- case: disable the user's triggers
ALTER TABLE orders DISABLE TRIGGER USER;
-- case: create a rule
CREATE RULE r AS ON DELETE TO orders DO INSTEAD NOTHING;
-- case: create a rule that writes elsewhere
CREATE RULE r AS ON INSERT TO orders DO ALSO INSERT INTO notices VALUES (NEW.id, NEW.note);
-- case: create a rule that does several things
CREATE RULE r AS ON UPDATE TO orders DO ALSO (
    UPDATE loose SET a = 1 WHERE c = NEW.note AND a IN (SELECT discount FROM coupons);
    DELETE FROM hens WHERE id = OLD.id;
    NOTIFY changed
);
-- case: create a rule on a condition
CREATE RULE r AS ON INSERT TO orders WHERE NEW.id IN (SELECT id FROM hens) DO ALSO INSERT INTO loose (a, c) SELECT id, 'c' FROM large_orders;
-- case: replace a rule
CREATE OR REPLACE RULE notices_keep AS ON DELETE TO notices DO INSTEAD NOTHING;
-- case: disable a rule
ALTER TABLE notices DISABLE RULE notices_keep;
-- case: enable a rule always
ALTER TABLE notices ENABLE ALWAYS RULE notices_keep;
-- case: enable row security
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
-- case: disable row security
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
-- case: force row security
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
-- case: do not force row security
ALTER TABLE orders NO FORCE ROW LEVEL SECURITY;
-- case: create a policy
CREATE POLICY p ON orders USING (true);
-- case: create a policy that reads another table
CREATE POLICY p ON orders USING (EXISTS (SELECT FROM customers WHERE customers.id = customer_id));
-- case: create a policy for a role
CREATE POLICY p ON orders AS RESTRICTIVE FOR INSERT TO clerk WITH CHECK (total > 0);
-- case: alter a policy
ALTER POLICY notices_read ON notices USING (id > 0);
-- case: alter a policy to read another table
ALTER POLICY notices_read ON notices USING (EXISTS (SELECT FROM hens WHERE hens.id = notices.id));
-- case: alter a policy's roles
ALTER POLICY notices_read ON notices TO clerk;
-- case: comment on a trigger
COMMENT ON TRIGGER notices_touch ON notices IS 'x';
-- case: comment on a policy
COMMENT ON POLICY notices_read ON notices IS 'x';
-- case: comment on a rule
COMMENT ON RULE notices_keep ON notices IS 'x';
-- case: create a function
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT count(*)::int FROM orders';
-- case: create a function with a body
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders; END;
-- case: create a function that changes rows
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'INSERT INTO loose (c) SELECT code FROM coupons; DELETE FROM hens WHERE id IN (SELECT id FROM eggs)';
-- case: create a function that locks rows
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT id FROM order_totals FOR UPDATE';
-- case: create a function that reads views
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM large_orders, all_events';
-- case: create a function with a body that reads views
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM large_orders, all_events; END;
-- case: create a function with a body that changes a view
CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC UPDATE large_orders SET total = 5; INSERT INTO loose (c) SELECT code FROM coupons; END;
-- case: replace a function
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
-- case: drop a column whose name a policy uses only for another table
CREATE POLICY mine ON orders USING (EXISTS (SELECT 1 FROM items WHERE order_id = id AND items.padding = 'x'));
ALTER TABLE orders DROP COLUMN padding;
-- case: drop a column of another table that a policy uses
-- refused
CREATE POLICY mine ON orders USING (EXISTS (SELECT 1 FROM items WHERE order_id = id AND items.padding = 'x'));
ALTER TABLE items DROP COLUMN padding;
-- case: drop a column of another table that a policy uses, cascade
CREATE POLICY mine ON orders USING (EXISTS (SELECT 1 FROM items WHERE order_id = id AND items.padding = 'x'));
ALTER TABLE items DROP COLUMN padding CASCADE;
-- case: drop a column of which the condition of a trigger has only a type of the same name
CREATE TABLE days (id int, date date, text text);
CREATE TRIGGER t BEFORE UPDATE ON days FOR EACH ROW WHEN (OLD.date::text <> '2000-01-01') EXECUTE FUNCTION touch();
ALTER TABLE days DROP COLUMN text;
-- case: drop a column with statistics
CREATE STATISTICS days_stat ON status, note FROM orders;
ALTER TABLE orders DROP COLUMN note;
