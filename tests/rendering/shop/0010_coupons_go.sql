SET LOCAL lock_timeout = '2s';
ALTER TABLE orders DROP CONSTRAINT orders_coupon_code_fkey;
-- migsafe: ignore[drop-table] nobody has used them for a year
DROP TABLE coupons;
