\set ON_ERROR_STOP on  -- expect: PsqlCommand
\connect shop  -- expect: PsqlCommand
SELECT 'DROP TABLE ' || relname FROM pg_class \gexec  -- expect: Select, PsqlCommand, OpaqueCode
\i more.sql  -- expect: PsqlCommand, OpaqueCode
COPY orders (id, note) FROM stdin;  -- expect: Copy
1	DROP TABLE orders;
2	it's not SQL
\.
SELECT :limit, :'name' FROM :"table";  -- expect: Select
\copy items FROM stdin  -- expect: PsqlCommand
1	2
\.
DROP TABLE items;  -- expect: Drop
