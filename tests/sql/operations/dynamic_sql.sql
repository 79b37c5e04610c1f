-- EXECUTE of a constant string is read. SQL that is built at run time is opaque code.
DO $$
DECLARE
    name text := 'orders';
BEGIN
    EXECUTE 'ALTER TABLE orders ADD COLUMN a int';  -- expect: AddColumn
    EXECUTE 'CREATE INDEX i ON orders (a);  -- expect: CreateIndex
             DROP TABLE items';  -- expect: Drop
    EXECUTE format('DROP TABLE %I', 'Old Orders');  -- expect: Drop
    EXECUTE format('ALTER TABLE %2$I.%1$I ADD COLUMN note text DEFAULT %3$L', 'orders', 'shop', 'it''s');  -- expect: AddColumn
    EXECUTE ('DROP TABLE ' || quote_ident('items'));  -- expect: Drop
    EXECUTE E'DROP TABLE\n items' USING name;  -- expect: Drop
    EXECUTE 'DROP TABLE ' || name;  -- expect: OpaqueCode
    EXECUTE format('DROP TABLE %I', name);  -- expect: OpaqueCode
    EXECUTE name INTO name USING 1;  -- expect: OpaqueCode
    IF name IS NOT NULL THEN
        EXECUTE 'DROP VIEW totals';  -- expect: Drop?
    END IF;
    FOR name IN EXECUTE 'SELECT 1 FROM orders' LOOP  -- expect: Select
    END LOOP;
END
$$;
