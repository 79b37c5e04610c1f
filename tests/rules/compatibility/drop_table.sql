DROP TABLE coupons; -- expect: drop-table
-- CASCADE takes nothing back; drop-cascade speaks for the rule only where it runs
DROP TABLE IF EXISTS coupons, app.vouchers CASCADE; -- expect: drop-table
DROP VIEW coupons; -- expect: drop-object
DROP INDEX coupons_code_idx;

-- next migration
CREATE TABLE coupons (code text);
CREATE TEMP TABLE found AS SELECT 1 AS id;
DROP TABLE coupons, found;

-- next migration
CREATE TABLE coupons (code text);
DROP TABLE coupons, vouchers; -- expect: drop-table
-- it was dropped already
DROP TABLE IF EXISTS vouchers;

-- next migration
CREATE TABLE staging AS SELECT * FROM orders;
DROP TABLE staging;
CREATE TABLE IF NOT EXISTS kept (id bigint);
DROP TABLE kept; -- expect: drop-table

-- next migration
CREATE TABLE parents (id bigint PRIMARY KEY);
CREATE TABLE children (id bigint REFERENCES parents);

-- next migration
-- CASCADE drops nothing else here
DROP TABLE children CASCADE; -- expect: drop-table
