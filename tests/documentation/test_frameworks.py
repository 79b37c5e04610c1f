"""The program of docs/frameworks.md that takes statements from the log of a server."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"
LOG = """\
LOG:  database system is ready to accept connections
LOG:  statement: CREATE TABLE of_the_main_branch (id int);
LOG:  statement: SELECT 'migsafe: from here'
LOG:  statement: BEGIN;
LOG:  execute <unnamed>: select * from knex_migrations
LOG:  statement: ALTER TABLE orders
\tADD note text;
ERROR:  column "note" of relation "orders" already exists
LOG:  execute s_1: update orders
\t
\tset note = $1
DETAIL:  parameters: $1 = 'a
\tb'
LOG:  statement: insert into "knex_migrations" ("name") values ('note')
LOG:  statement: COMMIT;
"""
SENT = "BEGIN;;ALTER TABLE orders ADD note text;; update orders set note = $1; COMMIT;;"


@pytest.mark.process
def test_the_statements_after_the_mark_are_printed() -> None:
    awk = shutil.which("awk")
    if awk is None:
        pytest.skip("awk is not installed")
    block = re.search(r"```awk\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    done = subprocess.run([awk, block[1]], input=LOG, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "".join(done.stdout.split()) == "".join(SENT.split())
