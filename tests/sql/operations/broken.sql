-- A syntax error affects only its own statement.
CREATE TABLE a (id int,);  -- expect: Broken
CREATE TABLE b (id int);  -- expect: CreateTable
ALTER TABLE b ADD COLUMN;  -- expect: Broken
SELEC 1;  -- expect: Broken
ALTER TABLE b
    ADD COLUMN c int,
    DROP COLUMN IF c;  -- expect: Broken
CREATE TABLE c (id int;  -- expect: Broken
CREATE TABLE d (id int);  -- expect: CreateTable
SELECT * FROM b WHERE (a = 1;  -- expect: Broken
INSERT INTO b VALUES (1, );  -- expect: Broken
DO $$
BEGIN
    DROP TABL b;  -- expect: Broken
    DROP TABLE b;  -- expect: Drop
END
$$;
DROP TABLE c 'text';  -- expect: Broken
INSERT INTO d VALUES ('never closed);  -- expect: Broken
DROP TABLE d;  -- expect: Drop
