CREATE TABLE logs (id bigint PRIMARY KEY) WITH (autovacuum_enabled = false); -- expect: autovacuum-off
CREATE TABLE plain (id bigint PRIMARY KEY) WITH (autovacuum_enabled = true, fillfactor = 70);
CREATE TEMP TABLE scratch (id bigint) WITH (autovacuum_enabled = false);
ALTER TABLE plain SET (autovacuum_enabled = 'off'); -- expect: autovacuum-off
ALTER TABLE other SET (autovacuum_enabled = off);
COPY other FROM STDIN;
\.
ALTER TABLE other RESET (autovacuum_enabled);
ALTER TABLE others SET (toast.autovacuum_enabled = off);

-- next migration
CREATE FUNCTION one() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; -- expect: definer-search-path
CREATE FUNCTION two() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path TO pg_catalog AS 'SELECT 1';
CREATE FUNCTION three() RETURNS int LANGUAGE sql SECURITY INVOKER AS 'SELECT 1';
CREATE FUNCTION four() RETURNS int LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT 1; END;
CREATE FUNCTION five() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
ALTER FUNCTION five() SET search_path = public;
CREATE PROCEDURE six() LANGUAGE plpgsql SECURITY DEFINER SET work_mem = '1MB' AS $$ BEGIN END $$; -- expect: definer-search-path

-- next migration
CREATE TABLE shops (id bigint PRIMARY KEY);
CREATE FUNCTION is_shop(n bigint) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT 1 FROM shops WHERE id = n)';
CREATE FUNCTION is_code(a text) RETURNS boolean LANGUAGE sql AS $$ SELECT a ~ '^[a-z]+$' $$;
CREATE TABLE deals (id bigint PRIMARY KEY, ends timestamptz CHECK (ends > now()), shop bigint, code text CHECK (is_code(code))); -- expect: volatile-check
ALTER TABLE deals ADD CONSTRAINT of_shop CHECK (is_shop(shop)) NOT VALID; -- expect: volatile-check
ALTER TABLE deals ADD COLUMN born date CHECK (born <= CURRENT_DATE); -- expect: volatile-check
ALTER TABLE deals ADD COLUMN n int CHECK (n < random() * 10); -- expect: volatile-check
ALTER TABLE deals ADD COLUMN m int CHECK (abs(m) < 10 AND unknown_function(m)), ADD COLUMN at timestamptz DEFAULT now();
CREATE DOMAIN coming AS date CHECK (VALUE > current_date); -- expect: volatile-check
CREATE DOMAIN price AS numeric CHECK (VALUE >= 0);
ALTER DOMAIN price ADD CONSTRAINT at_random CHECK (VALUE < random()) NOT VALID; -- expect: volatile-check
ALTER TABLE deals ADD CONSTRAINT aged CHECK (age(born) > '18 years'); -- expect: volatile-check
ALTER TABLE deals ADD CONSTRAINT older CHECK (age(ends, at) > '1 day');

-- next migration
CREATE FUNCTION seven(a int) RETURNS int LANGUAGE sql AS 'SELECT a';
CREATE FUNCTION eight() RETURNS int LANGUAGE sql SET search_path = public AS 'SELECT 1';
CREATE FUNCTION nine() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = public AS 'SELECT 1';
CREATE FUNCTION ten() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;

-- next migration
ALTER FUNCTION seven(int) SECURITY DEFINER; -- expect: definer-search-path
ALTER FUNCTION eight() SECURITY DEFINER;
ALTER FUNCTION nine() RESET search_path; -- expect: definer-search-path
ALTER FUNCTION ten() SECURITY DEFINER;
ALTER FUNCTION unknown() SECURITY DEFINER;

-- next migration
ALTER FUNCTION seven(int) STABLE;
ALTER FUNCTION nine() SET search_path = public;

-- next migration
ALTER FUNCTION nine() RESET ALL;
ALTER FUNCTION nine() SECURITY INVOKER;
