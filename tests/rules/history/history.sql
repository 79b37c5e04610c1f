CREATE TABLE orders (id bigint, note ); -- expect: syntax-error
ALTER TABLE orders ADD COLUMN qty integer;
ALTER TABLE orders {{ .Action }} COLUMN note; -- expect: unparsed-statement

DO $$
DECLARE
    name text := 'orders';
BEGIN
    EXECUTE 'ALTER TABLE ' || name || ' ADD COLUMN total numeric'; -- expect: opaque-code
    EXECUTE format('ALTER TABLE %I ADD COLUMN total numeric', 'orders');
END $$;
