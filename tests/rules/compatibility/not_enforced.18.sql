CREATE TABLE shops (id bigint PRIMARY KEY);
CREATE TABLE goods (id bigint PRIMARY KEY, shop_id bigint CONSTRAINT shop REFERENCES shops, code text);

-- next migration
ALTER TABLE goods ADD CONSTRAINT codes CHECK (code <> '') NOT ENFORCED; -- expect: constraint-not-enforced
ALTER TABLE goods ADD COLUMN maker_id bigint REFERENCES shops NOT ENFORCED; -- expect: constraint-not-enforced
ALTER TABLE goods ALTER CONSTRAINT shop NOT ENFORCED; -- expect: constraint-not-enforced
ALTER TABLE goods ALTER CONSTRAINT shop NOT ENFORCED;
ALTER TABLE goods ALTER CONSTRAINT shop ENFORCED;
ALTER TABLE goods ADD CONSTRAINT ids CHECK (id > 0) NOT VALID; -- expect: constraint-added
CREATE TABLE carts (id bigint PRIMARY KEY, CHECK (id > 0) NOT ENFORCED);
