ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers; -- expect: foreign-key-validates
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers NOT ENFORCED;
ALTER TABLE orders
    ADD COLUMN note text,
    ADD CONSTRAINT fk FOREIGN KEY (a, b) REFERENCES pairs (a, b), -- expect: foreign-key-validates
    ADD CHECK (a > b) NOT VALID;

-- a column that is null in every row needs no check
ALTER TABLE orders ADD COLUMN a bigint REFERENCES customers;
ALTER TABLE orders ADD COLUMN b bigint DEFAULT 1 REFERENCES customers; -- expect: foreign-key-validates
ALTER TABLE orders ADD COLUMN c bigint GENERATED ALWAYS AS (a + b) STORED REFERENCES customers; -- expect: add-column-rewrites
ALTER TABLE orders ADD COLUMN d bigint DEFAULT 1;

-- next migration
CREATE TABLE regions (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, region_id bigint REFERENCES regions);
ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES customers;
ALTER TABLE items ADD FOREIGN KEY (region_id) REFERENCES regions; -- expect: foreign-key-validates
