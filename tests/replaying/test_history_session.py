"""Every migration of a history begins in a new session, as with a runner that connects for each."""

from pathlib import Path

import pytest

from migsafe.replaying.servers.private import PrivateHost
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
