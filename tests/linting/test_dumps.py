"""A dump is restored into a database that nothing uses yet."""

import pytest

from migsafe.linting.rule import Limits
from migsafe.linting.rulebook import choose_rules, shipped_rules
from tests.support.linted import judge_sql

DUMP = """\
SET lock_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
CREATE TABLE public.loans (id bigint NOT NULL, due date);
COPY public.loans (id, due) FROM stdin;
1\t2026-01-01
\\.
ALTER TABLE ONLY public.loans ADD CONSTRAINT loans_pkey PRIMARY KEY (id);
CREATE INDEX loans_due_idx ON public.loans USING btree (due);
"""
COMMENTS = "--\n-- PostgreSQL database dump\n--\n\n-- Dumped by pg_dump version 17.2\n\n"


def rules(sql: str) -> list[str]:
    return [finding.rule for finding in judge_sql(sql, choose_rules(shipped_rules()), limits=Limits()).findings]


@pytest.mark.parametrize("head", [COMMENTS, "", "\\restrict Vw3\n"])
def test_a_dump_has_no_findings_about_locks_and_second_runs(head: str) -> None:
    assert rules(head + DUMP) == []


def test_the_same_statements_in_a_migration_have() -> None:
    migration = DUMP.replace("SET check_function_bodies = false;\n", "")
    assert {"not-rerunnable", "primary-key-builds-index", "index-not-concurrent"} <= set(rules(migration))


def test_a_dump_that_drops_older_tables_is_reported() -> None:
    assert "drop-table" in rules(f"{COMMENTS}DROP TABLE public.readers;\n{DUMP}")
