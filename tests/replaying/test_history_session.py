"""Every migration of a history begins in a new session, as with a runner that connects for each."""

from pathlib import Path

import pytest

from migsafe.replaying.instruments import Instruments, MigrationTask
from migsafe.replaying.servers.private import PrivateHost
from migsafe.replaying.servers.time_limits import unlimited
from migsafe.sources import Half, Migration, Transaction
from migsafe.text import Script, Span
from tests.support.replays import replay_files

pytestmark = pytest.mark.server


def test_settings_and_temporary_tables_end_with_their_migration(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "0001.sql": "CREATE SCHEMA other; SET search_path = other; CREATE TABLE first (x int); CREATE TEMP TABLE brief (x int); BEGIN;",
        "0002.sql": "CREATE TABLE second (x int); CREATE TEMP TABLE brief (y int); ALTER ROLE owner SET search_path = other;",
        "0003.sql": "CREATE TABLE third (x int); ALTER ROLE owner RESET search_path;",
        "0004.sql": "ALTER TABLE other.first ADD y int; ALTER TABLE public.second ADD y int; ALTER TABLE other.third ADD y int;",
    }
    done = replay_files(host, tmp_path, files, only="0004.sql", rows=None)
    assert done.problems == []
    assert done.recording.failure is None
    assert [touch.effect.relation.schema for record in done.statements for touch in record.measured_effects] == ["other", "public", "other"]


def test_prepared_statements_end_with_their_migration(host: PrivateHost, tmp_path: Path) -> None:
    files = {
        "0001.sql": "CREATE TABLE item (x int); PREPARE one AS SELECT 1; LISTEN news; SELECT pg_advisory_lock(1);",
        "0002.sql": "PREPARE one AS SELECT 2; DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'); END $$;",
        "0003.sql": "ALTER TABLE item ADD y int;",
    }
    assert replay_files(host, tmp_path, files, only="0003.sql", rows=None).problems == []


def test_recorded_migrations_of_one_database_begin_in_new_sessions(host: PrivateHost) -> None:
    texts = [
        "CREATE SCHEMA other; SET search_path = other; CREATE TEMP TABLE brief (x int); CREATE TABLE first (x int); PREPARE one AS SELECT 1;",
        "CREATE TABLE second (x int); CREATE TEMP TABLE brief (y int); PREPARE one AS SELECT 2;",
        "ALTER TABLE other.first ADD y int; ALTER TABLE public.second ADD y int; ALTER ROLE owner SET search_path = other;",
        "CREATE TABLE third (x int); ALTER ROLE owner RESET search_path;",
        "ALTER TABLE other.third ADD y int;",
    ]
    host.create_database("sessions")
    instruments = Instruments(host, unlimited)
    recordings = []
    for number, text in enumerate(texts):
        half = Half(Script(f"{number}.sql", text), (Span(0, len(text)),), Transaction.STATEMENT)
        task = MigrationTask(
            database="sessions", migration=Migration(str(number), "plain", half), predictions=(), contents=instruments.contents, probes=False
        )
        recordings.append(instruments.run(task))
    instruments.disconnect()
    host.drop_database("sessions")
    assert [recording.failure for recording in recordings] == [None] * len(texts)
    altered = [touch.effect for recording in recordings for record in recording.statements for touch in record.measured_effects]
    assert [str(effect.relation) for effect in altered] == ["other.first", "public.second", "other.third"]
