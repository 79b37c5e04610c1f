CREATE TABLE parcels (id bigint PRIMARY KEY, weight bigint, grams bigint GENERATED ALWAYS AS (weight * 1000) VIRTUAL);

-- next migration
ALTER TABLE parcels ALTER COLUMN grams SET EXPRESSION AS (weight * 100);
