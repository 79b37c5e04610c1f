CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE DOMAIN price AS numeric(8, 2) CHECK (VALUE > 0);
CREATE TABLE items (
    id serial PRIMARY KEY, name varchar(50), note text, net numeric(10, 2), pieces integer, weight bigint, made date, sold timestamp,
    paid timestamptz(3), width real, depth double precision, data jsonb, old_data json, key uuid, tags text[], rank smallint, code char(5),
    listed boolean
);
CREATE TABLE people (id bigint, mood mood, price price, title text COLLATE "C");
CREATE TABLE whole AS SELECT * FROM items;
CREATE TABLE tabled AS TABLE items;
CREATE TABLE starred AS SELECT items.*, other.id AS other_id FROM items JOIN items other ON other.id = items.id;
CREATE TABLE summed (number) AS SELECT count(*), sum(pieces) AS a, sum(weight) AS b, sum(net) AS c, sum(width) AS d, sum(depth) AS e,
    avg(pieces) AS f, avg(depth) AS g, min(name) AS h, max(net) AS i, max(code) AS j, string_agg(note, ',') AS k, array_agg(name) AS l,
    bool_or(listed) AS m, jsonb_agg(data) AS n, json_agg(data) AS o, max(made) AS p, sum(rank) AS q FROM items;
CREATE TABLE chosen AS SELECT coalesce(name, note) AS a, coalesce(name, 'x') AS b, coalesce(pieces, weight) AS c, coalesce(net, 0) AS d,
    CASE WHEN listed THEN name END AS e, CASE WHEN listed THEN name ELSE name END AS f, CASE WHEN listed THEN pieces ELSE net END AS g,
    CASE WHEN listed THEN name ELSE note END AS h, CASE WHEN listed THEN note ELSE name END AS i, coalesce(code, 'x') AS j,
    greatest(pieces, rank) AS k, coalesce(made, sold) AS l FROM items;
CREATE TABLE computed AS SELECT name || note AS a, name || '-' || note AS b, code || 'a' AS c, pieces + 1 AS d, pieces + weight AS e,
    pieces * net AS f, width + pieces AS g, width + width AS h, net / 2 AS i, pieces / 2 AS j, pieces % 2 AS k, made - made AS l,
    made + 1 AS m, sold - sold AS n, sold + interval '1 day' AS o, made + interval '1 day' AS p, -pieces AS q, -net AS r FROM items;
CREATE TABLE times AS SELECT paid AT TIME ZONE 'utc' AS a, sold AT TIME ZONE 'utc' AS b, date_trunc('day', paid) AS c,
    date_trunc('day', sold) AS d, date_trunc('day', made) AS e, now() AS f, current_timestamp AS g, current_date AS h, localtimestamp AS i,
    to_timestamp(depth) AS j, to_date(name, 'YYYY') AS k FROM items;
CREATE TABLE documents AS SELECT data -> 'a' AS a, data ->> 'a' AS b, data #>> '{a}' AS c, old_data -> 'a' AS d,
    jsonb_build_object('a', pieces) AS e, tags[1] AS f, array_length(tags, 1) AS g, unnest(tags) AS h FROM items;
CREATE TABLE constants AS SELECT 1 AS a, 3000000000 AS b, 1.5 AS c, 'x' AS d, NULL AS e, true AS f, 'calm'::mood AS g, 1::price AS h;
CREATE TABLE conditions AS SELECT pieces = 1 AS a, pieces IN (1, 2) AS b, name LIKE 'x' AS c, name IS NULL AS d, NOT listed AS e,
    EXISTS (SELECT 1 FROM items) AS f, pieces BETWEEN 1 AND 2 AS g, listed AND pieces > 1 AS h FROM items;
CREATE TABLE functions AS SELECT abs(net) AS a, abs(pieces) AS b, round(net, 2) AS c, round(depth) AS d, round(pieces) AS e, floor(net) AS f,
    ceil(depth) AS g, length(name) AS h, to_char(made, 'YYYY') AS i, concat(name, pieces) AS j, substring(name FROM 1 FOR 2) AS k,
    trim(name) AS l, split_part(name, 'x', 1) AS m, replace(name, 'a', 'b') AS n, md5(name) AS o, left(name, 2) AS p, initcap(name) AS q,
    lpad(name, 2, 'x') AS r, gen_random_uuid() AS s, nextval('items_id_seq') AS t, position('a' IN name) AS u, random() AS v,
    regexp_replace(name, 'a', 'b') AS w, reverse(name) AS x, upper(code) AS y, lower(name) AS z FROM items;
CREATE TABLE cast_values AS SELECT name::varchar(10) AS a, net::numeric(8, 1) AS b, sold::timestamptz AS c, paid::timestamp(0) AS d,
    pieces::text AS e, (pieces)::bigint AS f, CAST(net AS double precision) AS g FROM items;
CREATE TABLE windows AS SELECT row_number() OVER () AS a, rank() OVER (ORDER BY pieces) AS b, lag(name) OVER (ORDER BY pieces) AS c,
    first_value(net) OVER (ORDER BY pieces) AS d, min(code) OVER () AS e FROM items;
CREATE TABLE unnamed AS SELECT name AS "Name", sum(pieces) FILTER (WHERE listed) AS listed, count(DISTINCT pieces) AS kinds,
    to_char(made, 'x'), lower(note), pieces::text, count(*) FROM items GROUP BY name, made, note, pieces;
CREATE TABLE nulled AS SELECT nullif(note, 'x') AS a, nullif(name, 'x') AS b, nullif(pieces, 0) AS c, nullif(net, 1.5) AS d, nullif(code, 'x') AS e,
    current_setting('search_path') AS f, nullif(current_setting('a.b', true), '') AS g FROM items;
CREATE TABLE united AS SELECT id, name FROM items UNION ALL SELECT weight, note FROM items;
CREATE TABLE joined AS WITH a AS (SELECT id, name AS label FROM items), b (k, v) AS (SELECT id, net FROM items)
    SELECT a.id, label, b.v FROM a JOIN b ON b.k = a.id;
CREATE TABLE nested AS SELECT sub.k, sub.net, (SELECT max(id) FROM items) AS last FROM (SELECT id AS k, net FROM items) sub;
CREATE TABLE listed AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (num, label);
CREATE TABLE lateral_rows AS SELECT items.name, found.mood FROM items CROSS JOIN LATERAL (SELECT mood FROM people WHERE people.id = items.id) found;
CREATE TABLE merged AS SELECT people.id, name FROM people LEFT JOIN items USING (id);
CREATE TABLE own_types AS SELECT id, mood, price, title, coalesce(mood, 'calm') AS other FROM people;
CREATE VIEW labels AS SELECT id, name AS label, net FROM items;
CREATE MATERIALIZED VIEW stored_labels (k, l) AS SELECT id, label FROM labels;
CREATE TABLE from_view AS SELECT * FROM labels;
CREATE TABLE from_stored AS SELECT k, l, upper(l) AS upper_l FROM stored_labels WITH NO DATA;
SELECT id, name AS copied INTO selected FROM items WHERE listed;
ALTER TABLE items RENAME COLUMN name TO own_name;
CREATE TABLE after_rename AS SELECT * FROM labels;
CREATE OR REPLACE VIEW labels AS SELECT id, own_name AS label, net, note FROM items;
CREATE TABLE after_replacement AS SELECT * FROM labels;
