-- rows of another table with equal keys
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (code text UNIQUE);
INSERT INTO old VALUES (1, 'a'), (2, 'a');
-- refused: duplicate key value violates unique constraint "new_code_key"
INSERT INTO new (code) SELECT code FROM old;

-- only some of the rows, or each once
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (code text UNIQUE);
INSERT INTO old VALUES (1, 'a'), (2, 'a');
INSERT INTO new (code) SELECT DISTINCT code FROM old;
-- accepted
INSERT INTO new (code) SELECT o.id::text FROM old o;

-- rows that a filter leaves out
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (code text UNIQUE);
INSERT INTO old VALUES (1, 'a'), (2, 'a');
-- accepted
INSERT INTO new (code) SELECT code FROM old WHERE id = 2;

-- a row without a value
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (id bigint PRIMARY KEY, code text NOT NULL);
INSERT INTO old VALUES (1, NULL);
-- refused: null value in column "code" of relation "new" violates not-null constraint
INSERT INTO new SELECT id, code FROM old;

-- a filter leaves out the row without a value
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (id bigint PRIMARY KEY, code text NOT NULL);
INSERT INTO old VALUES (1, NULL), (2, 'b');
-- accepted
INSERT INTO new SELECT old.id, old.code FROM old WHERE old.code IS NOT NULL;

-- a table without rows
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (id bigint PRIMARY KEY, code text NOT NULL);
-- accepted
INSERT INTO new SELECT id, NULL FROM old;

-- rows that are gone
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (id bigint PRIMARY KEY, code text NOT NULL);
INSERT INTO old VALUES (1, NULL);
DELETE FROM old;
-- accepted
INSERT INTO new SELECT id, code FROM old;

-- constants without a table
CREATE TABLE new (id bigint PRIMARY KEY, code text NOT NULL);
-- refused: null value in column "code" of relation "new" violates not-null constraint
INSERT INTO new (id, code) SELECT 1, NULL;

-- copied rows against a later constraint
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (id bigint PRIMARY KEY, code text, made timestamptz);
INSERT INTO old VALUES (1, 'a');
INSERT INTO new (id, code, made) SELECT id, code, now() FROM old;
-- refused: check constraint "known" of relation "new" is violated by some row
ALTER TABLE new ADD CONSTRAINT known CHECK (code <> 'a');

-- values that the other column stores in another form
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (id bigint PRIMARY KEY, code char(3));
INSERT INTO old VALUES (1, 'a');
INSERT INTO new SELECT id, code FROM old;
-- accepted
ALTER TABLE new ADD CONSTRAINT known CHECK (octet_length(code) = 3);

-- conflicts are left out
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (code text UNIQUE);
INSERT INTO old VALUES (1, 'a'), (2, 'a');
-- accepted
INSERT INTO new (code) SELECT code FROM old ON CONFLICT DO NOTHING;

-- a trigger gives the value
CREATE TABLE old (id bigint PRIMARY KEY, code text);
CREATE TABLE new (id bigint PRIMARY KEY, code text NOT NULL);
INSERT INTO old VALUES (1, NULL);
CREATE FUNCTION give() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.code := 'x'; RETURN NEW; END $$;
CREATE TRIGGER give BEFORE INSERT ON new FOR EACH ROW EXECUTE FUNCTION give();
-- accepted
INSERT INTO new SELECT id, code FROM old;
