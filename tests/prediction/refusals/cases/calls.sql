-- round of a floating-point number
CREATE TABLE vans (id bigint PRIMARY KEY, load double precision, fee numeric(8, 2));
-- refused: function round(double precision, integer) does not exist
CREATE VIEW loads AS SELECT id, round(load, 2) AS load FROM vans;

-- round of a numeric, and of a number without decimals
CREATE TABLE vans (id bigint PRIMARY KEY, load double precision, fee numeric(8, 2));
-- accepted
CREATE VIEW loads AS SELECT round(fee, 1) AS fee, round(load) AS load, round(load::numeric, 2) AS rounded FROM vans;

-- lower of a number
CREATE TABLE vans (id bigint PRIMARY KEY, plate varchar(20));
-- refused: function lower(bigint) does not exist
CREATE MATERIALIZED VIEW names AS SELECT lower(id) AS name FROM vans;

-- lower of texts
CREATE TABLE vans (id bigint PRIMARY KEY, plate varchar(20), code char(3), title text);
-- accepted
CREATE VIEW names AS SELECT lower(plate) AS a, upper(code) AS b, lower(title || plate) AS c, lower('X') AS d, lower(id::text) AS e FROM vans;

-- sum of truth values
CREATE TABLE vans (id bigint PRIMARY KEY, active boolean, city text);
-- refused: function sum(boolean) does not exist
CREATE VIEW sums AS SELECT city, sum(active) AS active FROM vans GROUP BY city;

-- sum of numbers that a CASE gives
CREATE TABLE vans (id bigint PRIMARY KEY, active boolean, city text, at interval);
-- accepted
CREATE VIEW sums AS SELECT city, sum(CASE WHEN active THEN 1 ELSE 0 END) AS active, sum(at) AS at, bool_and(active) AS b FROM vans GROUP BY city;

-- avg of a text in a sub-query
CREATE TABLE vans (id bigint PRIMARY KEY, city text);
-- refused: function avg(text) does not exist
CREATE VIEW sums AS SELECT * FROM (SELECT avg(city) AS mean FROM vans) AS inner_query;

-- a function for jsonb of a json column
CREATE TABLE vans (id bigint PRIMARY KEY, doors json, wheels jsonb);
-- refused: function jsonb_array_length(json) does not exist
CREATE VIEW doors AS SELECT jsonb_array_length(doors) AS n FROM vans;

-- functions for json and jsonb
CREATE TABLE vans (id bigint PRIMARY KEY, doors json, wheels jsonb);
-- accepted
CREATE VIEW doors AS SELECT json_array_length(doors) AS n, jsonb_array_length(wheels) AS m, jsonb_array_length('[1]') AS k FROM vans;

-- a function of the project with the name
CREATE TABLE vans (id bigint PRIMARY KEY, load double precision);
CREATE FUNCTION round(n double precision, digits integer) RETURNS numeric LANGUAGE sql AS $$ SELECT pg_catalog.round(n::numeric, digits) $$;
-- accepted
CREATE VIEW loads AS SELECT round(load, 2) AS load FROM vans;

-- a sum of dates
CREATE TABLE vans (id bigint PRIMARY KEY, since date);
-- refused: function sum(date) does not exist
CREATE TABLE sums AS SELECT sum(DISTINCT since) AS since FROM vans;
