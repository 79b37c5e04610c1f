-- what an extension provides is used before the migration creates the extension
CREATE TABLE people (id bigint PRIMARY KEY, email citext); -- expect: statement-fails
CREATE EXTENSION citext;

-- next migration
CREATE EXTENSION hstore;
CREATE TABLE labels (id bigint PRIMARY KEY, data hstore);
CREATE TABLE emails (id bigint PRIMARY KEY, email citext);

-- next migration
CREATE TABLE devices (id uuid PRIMARY KEY DEFAULT uuid_generate_v4());

-- next migration
CREATE INDEX CONCURRENTLY emails_email_idx ON emails USING gin ((email::text) gin_trgm_ops); -- expect: statement-fails
CREATE EXTENSION pg_trgm;

-- next migration
ALTER TABLE labels ADD COLUMN token text DEFAULT encode(gen_random_bytes(8), 'hex'); -- expect: statement-fails
ALTER TABLE labels ADD COLUMN code text DEFAULT encode(gen_random_uuid()::text::bytea, 'hex');
CREATE EXTENSION pgcrypto;

-- next migration
CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS $$ SELECT gen_random_uuid() $$;
ALTER TABLE labels ADD COLUMN salt uuid DEFAULT uuid_generate_v4();
CREATE EXTENSION "uuid-ossp" SCHEMA other;

-- next migration
ALTER TABLE labels ADD COLUMN path ltree;
CREATE EXTENSION IF NOT EXISTS ltree;
