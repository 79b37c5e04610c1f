-- the rest of a broken statement is not reported again
CREATE FUNCTION total() RETURNS bigint AS $ $ -- expect: syntax-error
SELECT count(*) FROM orders;
$ $ LANGUAGE sql;
CREATE TABLE items (id bigint PRIMARY KEY, note ); -- expect: syntax-error

-- next migration
SELEKT 1; -- expect: syntax-error
SELEKT 2; -- expect: syntax-error
