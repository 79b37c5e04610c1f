-- a number that a CHECK refuses
CREATE TABLE vans (id bigint PRIMARY KEY, seats integer CHECK (seats > 0));
-- refused: new row for relation "vans" violates check constraint "vans_seats_check"
INSERT INTO vans (id, seats) VALUES (1, 5), (2, -5);

-- numbers that a CHECK accepts
CREATE TABLE vans (id bigint PRIMARY KEY, seats integer CHECK (seats > 0));
-- accepted
INSERT INTO vans VALUES (1, 5), (2, NULL);

-- a text that is not in the list of a CHECK
CREATE TABLE vans (id bigint PRIMARY KEY, state varchar(20) NOT NULL CONSTRAINT states CHECK (state IN ('new', 'old')));
-- refused: new row for relation "vans" violates check constraint "states"
INSERT INTO vans VALUES (1, 'broken');

-- a default that is not in the list of a CHECK
CREATE TABLE vans (id bigint PRIMARY KEY, state text DEFAULT 'broken');
ALTER TABLE vans ADD CONSTRAINT states CHECK (state IN ('new', 'old'));
-- refused: new row for relation "vans" violates check constraint "states"
INSERT INTO vans (id) VALUES (1);

-- a text that a newer CHECK has in its list
CREATE TABLE vans (id bigint PRIMARY KEY, state text CONSTRAINT states CHECK (state IN ('new', 'old')));
ALTER TABLE vans DROP CONSTRAINT states, ADD CONSTRAINT states CHECK (state IN ('new', 'old', 'broken'));
-- accepted
INSERT INTO vans VALUES (1, 'broken');

-- a CHECK that is NOT VALID
CREATE TABLE vans (id bigint PRIMARY KEY, seats integer);
ALTER TABLE vans ADD CONSTRAINT positive CHECK (seats > 0) NOT VALID;
-- refused: new row for relation "vans" violates check constraint "positive"
INSERT INTO vans VALUES (1, 0) ON CONFLICT DO NOTHING;

-- a CHECK of a renamed column
CREATE TABLE vans (id bigint PRIMARY KEY, seats integer CONSTRAINT positive CHECK (seats > 0));
ALTER TABLE vans RENAME COLUMN seats TO places;
-- refused: new row for relation "vans" violates check constraint "positive"
INSERT INTO vans (id, places) VALUES (1, -1);

-- a CHECK of two columns
CREATE TABLE vans (id bigint PRIMARY KEY, low integer, high integer, CONSTRAINT one CHECK (low IS NOT NULL OR high IS NOT NULL));
-- refused: new row for relation "vans" violates check constraint "one"
INSERT INTO vans (id) VALUES (1);

-- a CHECK with a function
CREATE TABLE vans (id bigint PRIMARY KEY, plate text CHECK (length(plate) > 5));
-- accepted
INSERT INTO vans VALUES (1, 'abcdef');

-- a value that a trigger may change
CREATE TABLE vans (id bigint PRIMARY KEY, seats integer CHECK (seats > 0));
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seats := 1; RETURN NEW; END';
CREATE TRIGGER fill BEFORE INSERT ON vans FOR EACH ROW EXECUTE FUNCTION fill();
-- accepted
INSERT INTO vans VALUES (1, -1);

-- a fraction that is rounded
CREATE TABLE vans (id bigint PRIMARY KEY, fee numeric(8, 2) CHECK (fee <= 10));
-- accepted
INSERT INTO vans VALUES (1, 10.004);

-- a value that the CHECK of a domain refuses
CREATE DOMAIN seats AS integer CONSTRAINT positive CHECK (VALUE > 0);
CREATE TABLE vans (id bigint PRIMARY KEY, seats seats);
-- refused: value for domain seats violates check constraint "positive"
INSERT INTO vans VALUES (1, -1);

-- a value that the CHECK of a domain accepts
CREATE DOMAIN seats AS integer CONSTRAINT positive CHECK (VALUE > 0);
CREATE TABLE vans (id bigint PRIMARY KEY, seats seats);
-- accepted
INSERT INTO vans VALUES (1, 1), (2, NULL);

-- an enum that a CHECK refuses
CREATE TYPE mood AS ENUM ('good', 'bad', 'none');
CREATE TABLE vans (id bigint PRIMARY KEY, mood mood CONSTRAINT known CHECK (mood <> 'none'));
-- refused: new row for relation "vans" violates check constraint "known"
INSERT INTO vans VALUES (1, 'none');

-- a truth value and a date
CREATE TABLE vans (id bigint PRIMARY KEY, active boolean, since date, CONSTRAINT known CHECK (NOT active OR since >= '2020-01-01'));
-- refused: new row for relation "vans" violates check constraint "known"
INSERT INTO vans VALUES (1, true, '2019-05-05');

-- another case of the letters
CREATE TABLE vans (id bigint PRIMARY KEY, "State" text CONSTRAINT states CHECK ("State" IN ('new', 'old')), state text);
-- refused: new row for relation "vans" violates check constraint "states"
INSERT INTO vans (id, "State", state) VALUES (1, 'New', 'new');

-- a row of a partition
CREATE TABLE trips (id bigint NOT NULL, at date NOT NULL, km integer CHECK (km > 0)) PARTITION BY RANGE (at);
CREATE TABLE trips_2025 PARTITION OF trips FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- refused: new row for relation "trips_2025" violates check constraint "trips_km_check"
INSERT INTO trips VALUES (1, '2025-05-05', 0);
