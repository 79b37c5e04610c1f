-- an attribute of the type of a table
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
-- refused: cannot alter type "parcel" because it is the type of a typed table
ALTER TYPE parcel ADD ATTRIBUTE weight numeric;

-- an attribute of the type of a table, with CASCADE
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
ALTER TYPE parcel ADD ATTRIBUTE weight numeric CASCADE;
-- accepted
INSERT INTO parcels (id, weight) VALUES (1, 2);

-- a column that is gone with its attribute
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
-- accepted
ALTER TYPE parcel DROP ATTRIBUTE code CASCADE;

-- a renamed attribute of the type of a table
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
-- refused: cannot alter type "parcel" because it is the type of a typed table
ALTER TYPE parcel RENAME ATTRIBUTE code TO label;

-- an attribute of the type of a table that is an ordinary one now
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
ALTER TABLE parcels NOT OF;
-- accepted
ALTER TYPE parcel ADD ATTRIBUTE weight numeric;

-- a column that a typed table gets
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
-- refused: cannot add column to typed table
ALTER TABLE parcels ADD COLUMN weight numeric;

-- a column that a typed table loses
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
-- refused: cannot drop column from typed table
ALTER TABLE parcels DROP COLUMN code;

-- a renamed column of a typed table
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
-- refused: cannot rename column of typed table
ALTER TABLE parcels RENAME COLUMN code TO label;

-- another type of a column of a typed table
CREATE TYPE parcel AS (id bigint, code text);
CREATE TABLE parcels OF parcel;
-- refused: cannot alter column type of typed table
ALTER TABLE parcels ALTER COLUMN code TYPE varchar(20);
