-- all rows have got a value that a CHECK refuses
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'open');
UPDATE loans SET state = 'lost';
-- refused: check constraint "known" of relation "loans" is violated by some row
ALTER TABLE loans ADD CONSTRAINT known CHECK (state IN ('open', 'closed'));

-- the value that a CHECK refuses is gone
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'lost');
UPDATE loans SET state = 'open';
-- accepted
ALTER TABLE loans ADD CONSTRAINT known CHECK (state IN ('open', 'closed'));

-- one row has got another value
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'lost'), (2, 'open');
UPDATE loans SET state = 'closed' WHERE id = 1;
-- accepted
ALTER TABLE loans ADD CONSTRAINT known CHECK (state IN ('open', 'closed'));

-- the other row has kept its value
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'lost'), (2, 'lost');
UPDATE public.loans AS l SET state = 'closed' WHERE l.id = 1;
-- refused: check constraint "known" of relation "loans" is violated by some row
ALTER TABLE loans ADD CONSTRAINT known CHECK (state IN ('open', 'closed'));

-- rows are changed one after the other, by the values that they have then
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'a'), (2, 'b');
UPDATE loans SET state = 'b' WHERE state = 'a';
UPDATE loans SET state = 'c' WHERE state = 'b';
-- accepted
ALTER TABLE loans ADD CONSTRAINT known CHECK (state = 'c');

-- a filter by a column that all rows have got another value in since
CREATE TABLE loans (id bigint PRIMARY KEY, state text, place text);
INSERT INTO loans VALUES (1, 'a', 'x');
UPDATE loans SET state = 'b' WHERE place = 'x';
UPDATE loans SET place = 'y';
-- accepted
ALTER TABLE loans ADD CONSTRAINT known CHECK (state = 'b');

-- rows without a value get one
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, NULL), (2, 'open');
UPDATE loans SET state = 'open' WHERE state IS NULL;
-- accepted
ALTER TABLE loans ALTER COLUMN state SET NOT NULL;

-- other rows than those without a value
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, NULL), (2, 'open');
UPDATE loans SET state = 'closed' WHERE state IS NOT NULL;
-- refused: column "state" of relation "loans" contains null values
ALTER TABLE loans ALTER COLUMN state SET NOT NULL;

-- rows lose their value
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'open');
UPDATE loans SET state = NULL;
-- refused: column "state" of relation "loans" contains null values
ALTER TABLE loans ALTER COLUMN state SET NOT NULL;

-- an equality that PostgreSQL decides otherwise than by the text
CREATE TABLE loans (id numeric PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'lost');
UPDATE loans SET state = 'open' WHERE id = 1.0;
-- accepted
ALTER TABLE loans ADD CONSTRAINT known CHECK (state = 'open');

-- values that an expression computes
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'lost');
UPDATE loans SET state = 'open';
UPDATE loans SET state = lower('CLOSED');
-- accepted
ALTER TABLE loans ADD CONSTRAINT known CHECK (state = 'closed');

-- a column of the same place as one that was changed before
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'open');
UPDATE loans SET state = NULL WHERE id = 1;
ALTER TABLE loans DROP COLUMN state;
ALTER TABLE loans ADD COLUMN place text DEFAULT 'here';
-- accepted
ALTER TABLE loans ALTER COLUMN place SET NOT NULL;

-- equal keys after an UPDATE
CREATE TABLE loans (id bigint PRIMARY KEY, state text);
INSERT INTO loans VALUES (1, 'a'), (2, 'b');
UPDATE loans SET state = 'a' WHERE id = 2;
-- refused: could not create unique index "loans_state_key"
ALTER TABLE loans ADD UNIQUE (state);
