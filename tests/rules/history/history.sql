CREATE TABLE orders (id bigint, note ); -- expect: syntax-error
ALTER TABLE orders ADD COLUMN qty integer;
ALTER TABLE orders {{ .Action }} COLUMN note; -- expect: unparsed-statement

DO $$
DECLARE
    name text := 'orders';
    tenant text;
BEGIN
    SELECT code INTO tenant FROM tenants;
    EXECUTE 'ALTER TABLE ' || tenant || ' ADD COLUMN total numeric'; -- expect: opaque-code
    EXECUTE 'ALTER TABLE ' || name || ' ADD COLUMN total numeric';
    EXECUTE format('ALTER TABLE %I ADD COLUMN total numeric', 'orders');
END $$;
