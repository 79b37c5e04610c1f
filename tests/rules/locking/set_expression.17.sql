CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint, grams bigint GENERATED ALWAYS AS (weight * 1000) STORED);

-- next migration
ALTER TABLE parcels ALTER COLUMN grams SET EXPRESSION AS (weight * 100); -- expect: add-column-rewrites
CREATE TABLE boxes (id bigint PRIMARY KEY, weight bigint, grams bigint GENERATED ALWAYS AS (weight * 1000) STORED);
ALTER TABLE boxes ALTER COLUMN grams SET EXPRESSION AS (weight * 100);
