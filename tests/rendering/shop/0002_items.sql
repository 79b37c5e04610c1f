CREATE TYPE item_state AS ENUM ('reserved', 'packed', 'sent');
CREATE TABLE items (
    order_id bigint NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    state item_state NOT NULL DEFAULT 'reserved',
    PRIMARY KEY (order_id, line)
);
COMMENT ON COLUMN items.line IS 'counts from 1 within its order';
ALTER TABLE items ADD CONSTRAINT items_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders (id);
