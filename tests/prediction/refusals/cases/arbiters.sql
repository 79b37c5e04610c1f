-- the constraint of the target is deferrable
CREATE TABLE loans (id bigint, UNIQUE (id) DEFERRABLE);
-- refused: ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters
INSERT INTO loans VALUES (1) ON CONFLICT (id) DO NOTHING;

-- the constraint that is named is deferrable
CREATE TABLE loans (id bigint, state text, CONSTRAINT once UNIQUE (id) DEFERRABLE INITIALLY DEFERRED);
-- refused: ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters
INSERT INTO loans VALUES (1, 'a') ON CONFLICT ON CONSTRAINT once DO UPDATE SET state = excluded.state;

-- without a target, each constraint counts
CREATE TABLE loans (id bigint PRIMARY KEY, place int4range, EXCLUDE USING gist (place WITH &&) DEFERRABLE);
-- refused: ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters
INSERT INTO loans VALUES (1, '[1,2]') ON CONFLICT DO NOTHING;

-- another constraint is deferrable
CREATE TABLE loans (id bigint PRIMARY KEY, place bigint UNIQUE DEFERRABLE);
-- accepted
INSERT INTO loans VALUES (1, 1) ON CONFLICT (id) DO NOTHING;

-- no row comes to the constraint
CREATE TABLE loans (id bigint, UNIQUE (id) DEFERRABLE);
-- accepted
INSERT INTO loans SELECT 1 WHERE false ON CONFLICT (id) DO NOTHING;

-- a deferrable foreign key is no arbiter
CREATE TABLE places (id bigint PRIMARY KEY);
CREATE TABLE loans (id bigint PRIMARY KEY, place bigint REFERENCES places DEFERRABLE);
-- accepted
INSERT INTO loans VALUES (1, NULL) ON CONFLICT DO NOTHING;
