"""Supabase: `supabase/migrations/<version>_<name>.sql`.

Names and order (by name) as in supabase/cli pkg/migration/list.go. The command line sends a file's statements, with its record of the
version, as one batch: a pipeline without BEGIN, which PostgreSQL runs as one implicit transaction (pkg/migration/file.go, ExecBatch).
Statements that are impossible in it are sent separately, between the batches (supabase/cli pull request 5156, in
releases from 2.109; DROP INDEX CONCURRENTLY since pull request 6276). Older releases reject them unless they are first in their file.
"""

import re
from pathlib import Path

from migsafe.sources.lineage import LateHandling
from migsafe.sources.migration import Half, Migration, Transaction
from migsafe.sources.nontransactional import find_nontransactional
from migsafe.sources.runner import Folder, MigrationFile, Runner, Unused, single_file_migrations
from migsafe.text import Script, Span

_SENT_SEPARATELY = (
    r"create (?:unique )?index concurrently\b",
    r"drop index concurrently\b",
    r"reindex\b.* concurrently\b",
    r"vacuum\b",
    r"alter system\b",
    r"cluster\b",
)

# What projects use of it (guides "Row Level Security", "Managing User Data", "Storage Access Control" and "Postgres Changes").
_PLATFORM = """
CREATE SCHEMA IF NOT EXISTS auth;
CREATE SCHEMA IF NOT EXISTS storage;
CREATE SCHEMA IF NOT EXISTS extensions;
CREATE TABLE auth.users (id uuid PRIMARY KEY, instance_id uuid, aud varchar(255), role varchar(255), email varchar(255), phone text UNIQUE,
    encrypted_password varchar(255), email_confirmed_at timestamptz, phone_confirmed_at timestamptz, invited_at timestamptz,
    confirmation_token varchar(255), recovery_token varchar(255), email_change_token_new varchar(255), email_change varchar(255),
    last_sign_in_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb, is_super_admin boolean, created_at timestamptz,
    updated_at timestamptz, banned_until timestamptz, deleted_at timestamptz, is_sso_user boolean NOT NULL DEFAULT false,
    is_anonymous boolean NOT NULL DEFAULT false);
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid';
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text';
CREATE FUNCTION auth.email() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text';
CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT NULL::jsonb';
CREATE TABLE storage.buckets (id text PRIMARY KEY, name text NOT NULL UNIQUE, owner uuid, owner_id text, public boolean DEFAULT false,
    avif_autodetection boolean DEFAULT false, file_size_limit bigint, allowed_mime_types text[], created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now());
CREATE TABLE storage.objects (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), bucket_id text REFERENCES storage.buckets, name text, owner uuid,
    owner_id text, version text, metadata jsonb, user_metadata jsonb, path_tokens text[], created_at timestamptz DEFAULT now(),
    updated_at timestamptz DEFAULT now(), last_accessed_at timestamptz DEFAULT now());
ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION storage.foldername(name text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$SELECT string_to_array(name, '/')$$;
CREATE FUNCTION storage.filename(name text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT name';
CREATE FUNCTION storage.extension(name text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT name';
CREATE PUBLICATION supabase_realtime;
"""


def _recognises(folder: Folder) -> bool:
    path = Path(folder.path or ".").absolute()
    return path.name == "migrations" and path.parent.name == "supabase" and bool(folder.sql_files)


def _files(folder: Folder) -> list[MigrationFile]:
    return single_file_migrations(folder, (name for name in folder.sql_files if re.match(r"\d+_", name)))


def _unused(folder: Folder) -> Unused:
    return Unused(
        folder.path,
        "Supabase",
        len(folder.sql_files),
        f"Supabase runs only files named <version>_<name>.sql, and {folder.sql_files[0]} is not",
        'Rename them. If something else runs them, name it in the configuration: `[custom-runner]`, or `runner = "plain"` for psql.',
    )


def _chunks(script: Script) -> tuple[Span, ...]:
    """Returns the queries that a script is sent as: batches, and single statements between them."""
    chunks: list[Span] = []
    start = 0
    for alone in find_nontransactional(script.text, _SENT_SEPARATELY):
        chunks += [Span(start, alone.start), alone]
        start = alone.end
    chunks.append(Span(start, len(script.text)))
    return tuple(chunk for chunk in chunks if script.text[chunk.start : chunk.end].strip("; \t\r\n"))


def _read(file: MigrationFile) -> list[Migration]:
    return [Migration(file.id, "supabase", Half(file.up, _chunks(file.up), Transaction.QUERY))]


SUPABASE = Runner(
    name="supabase",
    title="Supabase",
    default_transaction=Transaction.QUERY,
    recognises=_recognises,
    files=_files,
    read=_read,
    outside_transaction_advice="put the statement into a separate migration file",
    one_statement_outside=True,
    retry_advice="run `supabase db push` again",
    unique_versions=True,
    # `db push` refuses without `--include-all` (supabase/cli internal/migration/up, GetPendingMigrations).
    late=LateHandling.REFUSES,
    unused=_unused,
    platform=_PLATFORM,
)
