CREATE TYPE state AS ENUM ('open', 'shut');
CREATE TABLE doors (id bigint PRIMARY KEY, state state NOT NULL, before state);
INSERT INTO doors (id, state) VALUES (1, 'open');

-- next migration
-- every value of the old type is one of the new type
CREATE TYPE state_new AS ENUM ('open', 'shut', 'locked');
ALTER TABLE doors ALTER COLUMN state TYPE state_new USING state::text::state_new; -- expect: statistics-lost

-- next migration
CREATE TYPE state_small AS ENUM ('open', 'locked');
ALTER TABLE doors ALTER COLUMN state TYPE state_small USING state::text::state_small; -- expect: statistics-lost -- expect: type-narrowed

-- next migration
-- text between two enums, in one transaction
ALTER TABLE doors ALTER COLUMN state TYPE varchar(20); -- expect: statistics-lost
DROP TYPE state_small;
CREATE TYPE state_small AS ENUM ('locked', 'open', 'shut');
ALTER TABLE doors ALTER COLUMN state TYPE state_small USING state::state_small;

-- next migration
-- the values that the UPDATE writes are not known
ALTER TABLE doors ALTER COLUMN state TYPE text; -- expect: statistics-lost
UPDATE doors SET state = 'ajar' WHERE id = 1;
ALTER TABLE doors ALTER COLUMN state TYPE state_new USING state::state_new; -- expect: type-narrowed

-- next migration
-- USING computes other values
ALTER TABLE doors ALTER COLUMN before TYPE state_new USING replace(before::text, 'shut', 'gone')::state_new; -- expect: statistics-lost -- expect: type-narrowed

-- next migration
-- no row has the missing values any more
CREATE TYPE state_moved AS ENUM ('open', 'moved');
UPDATE doors SET state = 'open' WHERE state IN ('locked') OR state::text = 'shut';
ALTER TABLE doors ALTER COLUMN state TYPE state_moved USING state::text::state_moved; -- expect: statistics-lost

-- next migration
-- the DELETE leaves some of them
CREATE TYPE state_open AS ENUM ('open');
DELETE FROM doors WHERE state = 'moved' AND id > 5;
ALTER TABLE doors ALTER COLUMN state TYPE state_open USING state::text::state_open; -- expect: statistics-lost -- expect: type-narrowed
