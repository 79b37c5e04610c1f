-- Only statements that can run are operations. CREATE FUNCTION does not run its body.
DO $$
DECLARE
    row record;
    total int := (SELECT count(*) FROM orders);
    open_orders CURSOR FOR SELECT * FROM orders;
BEGIN
    ALTER TABLE orders
        ADD COLUMN note text,  -- expect: AddColumn
        DROP COLUMN old_note;  -- expect: DropColumn
    IF NOT EXISTS (SELECT 1 FROM pg_class WHERE CASE WHEN relname = 'x' THEN true ELSE false END) THEN
        CREATE INDEX orders_qty_idx ON orders (qty);  -- expect: CreateIndex?
    ELSIF total > 10 THEN
        DROP TABLE items;  -- expect: Drop?
    ELSE
        TRUNCATE items;  -- expect: Truncate?
    END IF;
    <<every_order>>
    FOR row IN
        SELECT * FROM orders  -- expect: Select
    LOOP
        UPDATE items SET qty = 0 WHERE order_id = row.id RETURNING id INTO total;  -- expect: Update?
        EXIT every_order WHEN total = 0;
    END LOOP every_order;
    FOR i IN REVERSE 10..1 LOOP
        total := total + i;
        DELETE FROM items WHERE id = i;  -- expect: Delete?
    END LOOP;
    WHILE total > 0 LOOP
        total = total - 1;
    END LOOP;
    FOREACH total IN ARRAY ARRAY[1, 2] LOOP
        CALL refresh_order(total);  -- expect: Call?
    END LOOP;
    CASE total
        WHEN 1 THEN
            INSERT INTO log VALUES (1);  -- expect: Insert?
        ELSE
            NULL;
    END CASE;
    SELECT count(*) INTO STRICT total FROM orders;  -- expect: Select
    PERFORM set_config('lock_timeout', '2s', true);  -- expect: Select, SetVariable
    BEGIN
        ALTER TYPE mood ADD VALUE 'fine';  -- expect: AddEnumValue
    EXCEPTION
        WHEN duplicate_object OR undefined_object THEN
            RAISE NOTICE 'already there: %', SQLERRM;
            COMMENT ON TYPE mood IS 'kept';  -- expect: Comment?
    END;
    RAISE NOTICE 'done';
    COMMIT;  -- expect: Commit
END
$$;

CREATE FUNCTION drop_it() RETURNS void LANGUAGE plpgsql AS 'BEGIN DROP TABLE orders; END';  -- expect: CreateFunction

DO $outer$ BEGIN EXECUTE $inner$ DROP TABLE items $inner$; END $outer$;  -- expect: Drop

DO LANGUAGE plpgsql '
BEGIN
    COMMENT ON TABLE orders IS ''it''''s'';  -- expect: Comment
    DROP TABLE IF EXISTS items;  -- expect: Drop
END';

DO LANGUAGE plpython3u $$ plpy.execute("DROP TABLE orders") $$;  -- expect: OpaqueCode

DO $$
BEGIN
    IF to_regclass('old') IS NULL THEN
        RETURN;
    END IF;
    DROP TABLE old;  -- expect: Drop?
END $$;
