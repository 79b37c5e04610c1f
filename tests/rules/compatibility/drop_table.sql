DROP TABLE coupons; -- expect: drop-table
DROP TABLE IF EXISTS coupons, app.vouchers CASCADE; -- expect: drop-table
DROP VIEW coupons;
DROP INDEX coupons_code_idx;

-- next migration
CREATE TABLE coupons (code text);
CREATE TEMP TABLE found AS SELECT 1 AS id;
DROP TABLE coupons, found;

-- next migration
CREATE TABLE coupons (code text);
DROP TABLE coupons, vouchers; -- expect: drop-table
