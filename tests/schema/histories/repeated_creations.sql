-- An object that exists, whose second creation fails in a block that catches the error, stays as it is.

DO $$ BEGIN CREATE TYPE state AS ENUM ('new', 'done'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE TABLE jobs (id int, state state NOT NULL DEFAULT 'new');
CREATE INDEX jobs_state ON jobs (state);
CREATE VIEW open_jobs AS SELECT id FROM jobs;
DO $$ BEGIN CREATE TYPE state AS ENUM ('other'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE TABLE jobs (name text); EXCEPTION WHEN duplicate_table THEN NULL; END $$;
DO $$ BEGIN CREATE INDEX jobs_state ON jobs (id); EXCEPTION WHEN duplicate_table THEN NULL; END $$;
DO $$ BEGIN CREATE VIEW open_jobs AS SELECT state FROM jobs; EXCEPTION WHEN duplicate_table THEN NULL; END $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'state') THEN CREATE TYPE state AS ENUM ('third'); END IF;
END $$;
