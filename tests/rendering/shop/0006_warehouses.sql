CREATE TABLE warehouses (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO warehouses (name) VALUES ('North');
ALTER TABLE items ADD COLUMN warehouse_id bigint;
ALTER TABLE items ADD CONSTRAINT items_warehouse_id_fkey FOREIGN KEY (warehouse_id) REFERENCES warehouses (id);
