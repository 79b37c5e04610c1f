WITH gone AS (  -- expect: Insert
    DELETE FROM orders WHERE qty = 0 RETURNING id  -- expect: Delete
)
INSERT INTO archive SELECT * FROM gone;
EXPLAIN ANALYZE UPDATE orders SET qty = 1;  -- expect: Explain, Update
EXPLAIN UPDATE orders SET qty = 1;  -- expect: Explain
CREATE SCHEMA shop  -- expect: CreateSchema
    CREATE TABLE orders (id int)  -- expect: CreateTable
    CREATE VIEW all_orders AS SELECT * FROM orders;  -- expect: CreateView
SELECT set_config('search_path', 'shop', false), set_config('lock_timeout', '1s', true);  -- expect: Select, SetVariable, SetVariable
SELECT * INTO TEMP copied FROM orders;  -- expect: CreateTableAs
CREATE RULE keep AS ON DELETE TO orders DO INSTEAD (INSERT INTO archive VALUES (1); NOTIFY kept);  -- expect: CreateRule
CREATE FUNCTION twice(n int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN n * 2 END; SELECT n; END;  -- expect: CreateFunction
