CREATE TABLE orders (id bigserial PRIMARY KEY, note text, CHECK (id > 0));

-- next migration
CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, note text, CHECK (id > 0));
CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, note text); -- expect: if-not-exists-hides-drift
CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, note varchar(20), CHECK (id > 0)); -- expect: if-not-exists-hides-drift
CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, note text, code text, CHECK (id > 0)); -- expect: if-not-exists-hides-drift
CREATE TABLE IF NOT EXISTS unknown (id bigint);
CREATE TABLE IF NOT EXISTS unknown (id bigint, note text);

-- next migration
ALTER TABLE orders ADD COLUMN code text;

-- next migration
CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, note text, CHECK (id > 0)); -- expect: if-not-exists-hides-drift
