CREATE TABLE shops (id bigint PRIMARY KEY, name text NOT NULL, kind text, size int, CONSTRAINT kinds CHECK (kind IN ('a', 'b')));
CREATE TABLE goods (id bigint PRIMARY KEY, shop_id bigint, code text, tag text UNIQUE, CONSTRAINT shop FOREIGN KEY (shop_id) REFERENCES shops);
CREATE UNIQUE INDEX goods_code_idx ON goods (code);

-- next migration
ALTER TABLE shops ADD CONSTRAINT sizes CHECK (size > 0) NOT VALID; -- expect: constraint-added
ALTER TABLE shops ADD CONSTRAINT names CHECK (length(name) < 9) NOT VALID;
ALTER TABLE unknown ADD CONSTRAINT names UNIQUE (name);

-- next migration
ALTER TABLE goods ADD CONSTRAINT goods_code_key UNIQUE USING INDEX goods_code_idx;
ALTER TABLE shops ADD CONSTRAINT names_again CHECK (name IS NOT NULL) NOT VALID;
ALTER TABLE goods ADD CONSTRAINT tags UNIQUE (tag, shop_id);
ALTER TABLE shops DROP CONSTRAINT kinds, ADD CONSTRAINT kinds CHECK (kind IN ('a', 'b', 'c')) NOT VALID;
ALTER TABLE goods DROP CONSTRAINT shop, ADD CONSTRAINT shop FOREIGN KEY (shop_id) REFERENCES shops ON DELETE CASCADE NOT VALID;
ALTER TABLE goods ADD COLUMN maker_id bigint, ADD CONSTRAINT maker FOREIGN KEY (maker_id) REFERENCES shops NOT VALID;
ALTER TABLE goods ADD COLUMN weight int;
ALTER TABLE goods ADD CONSTRAINT weights CHECK (weight > 0) NOT VALID;
ALTER TABLE goods ADD CONSTRAINT pairs UNIQUE (code, weight);
CREATE TABLE carts (id bigint PRIMARY KEY);
ALTER TABLE carts ADD CONSTRAINT ids CHECK (id > 0);

-- next migration
ALTER TABLE shops ADD CONSTRAINT sized CHECK (size IS NOT NULL) NOT VALID;
ALTER TABLE shops VALIDATE CONSTRAINT sized;
ALTER TABLE shops ALTER COLUMN size SET NOT NULL;
ALTER TABLE shops DROP CONSTRAINT sized;

-- next migration
ALTER TABLE shops DROP CONSTRAINT kinds, ADD CONSTRAINT kinds CHECK (kind IN ('a')) NOT VALID; -- expect: constraint-added

-- next migration
CREATE UNIQUE INDEX CONCURRENTLY goods_shop_idx ON goods (shop_id, code);
ALTER TABLE goods ADD CONSTRAINT goods_shop_key UNIQUE USING INDEX goods_shop_idx; -- expect: constraint-added


-- next migration
ALTER TABLE shops ADD COLUMN owner_id bigint, ADD COLUMN chain_id bigint, ADD COLUMN rank int DEFAULT 1, ADD COLUMN note text;
ALTER TABLE shops ADD CONSTRAINT owned CHECK (num_nonnulls(owner_id, chain_id) = 1) NOT VALID; -- expect: required-column-added
ALTER TABLE shops ADD CONSTRAINT owned_too CHECK ((owner_id IS NULL) <> (chain_id IS NULL)); -- expect: required-column-added
ALTER TABLE shops ADD CONSTRAINT noted CHECK (coalesce(length(note), 0) > 0) NOT VALID;
ALTER TABLE shops ADD CONSTRAINT at_most_one CHECK (num_nonnulls(owner_id, chain_id) <= 1) NOT VALID;
ALTER TABLE shops ADD CONSTRAINT positive CHECK (owner_id > 0) NOT VALID;
ALTER TABLE shops ADD CONSTRAINT ranked CHECK (rank IS NOT NULL) NOT VALID;
ALTER TABLE shops ADD CONSTRAINT moved CHECK (num_nonnulls(owner_id, size) = 1) NOT VALID; -- expect: constraint-added
ALTER TABLE shops ADD COLUMN site_id bigint CHECK (site_id IS NOT NULL); -- expect: required-column-added
CREATE TABLE yards (id bigint PRIMARY KEY, owner_id bigint, chain_id bigint);
ALTER TABLE yards ADD CONSTRAINT owned CHECK (num_nonnulls(owner_id, chain_id) = 1);

-- next migration
CREATE TABLE bins (id bigint PRIMARY KEY, code text, label text UNIQUE, size int);
CREATE INDEX bins_code_idx ON bins (code);

-- next migration
CREATE UNIQUE INDEX bins_codes ON bins (code); -- expect: constraint-added
CREATE UNIQUE INDEX bins_sizes ON bins (size) WHERE size > 0;
CREATE UNIQUE INDEX bins_labels ON bins (label, size);
ALTER TABLE bins ADD COLUMN number bigint;
CREATE UNIQUE INDEX bins_numbers ON bins (number);
CREATE UNIQUE INDEX bins_gone ON bins (size, code);
DROP INDEX bins_gone;
CREATE TABLE boxes (id bigint PRIMARY KEY, code text);
CREATE UNIQUE INDEX boxes_codes ON boxes (code);

-- next migration
DROP INDEX bins_codes;
CREATE UNIQUE INDEX bins_codes_again ON bins (code);
DROP INDEX bins_sizes;
CREATE UNIQUE INDEX bins_sizes ON bins (size) WHERE size > 5;

-- next migration
CREATE MATERIALIZED VIEW bin_codes AS SELECT code, count(*) AS n FROM bins GROUP BY code;

-- next migration
-- no release writes to a materialized view
CREATE UNIQUE INDEX bin_codes_code ON bin_codes (code);
