"""What `exclude` names is not a migration: it is neither read nor checked, whichever way it is reached."""

import os
import subprocess
from pathlib import Path

import pytest

from migsafe.sources import Plan, SourceSettings, find_migrations
from migsafe.sources.exclusion import Exclusion
from migsafe.sources.git import Comparison
from migsafe.text import Script

from .conftest import Write

TABLE = "CREATE TABLE a (id bigint PRIMARY KEY);"


def found(paths: list[str], *globs: str, folder: str = ".") -> Plan:
    return find_migrations(paths, SourceSettings(exclusion=Exclusion(globs, folder)))


def selected(plan: Plan) -> list[str]:
    return [migration.id for migration in plan.migrations]


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("db/drafts", "db/drafts", True),
        ("db/drafts", "db/drafts/2026/a.sql", True),
        ("db/drafts/", "./db/drafts/a.sql", True),
        ("./db/drafts", str(Path("db/drafts/a.sql").absolute()), True),
        ("db/drafts", "db/drafts.sql", False),
        ("drafts", "db/drafts/a.sql", False),
        ("**/drafts", "db/drafts/a.sql", True),
        ("**/drafts", "drafts/a.sql", True),
        ("db/*_seed.sql", "db/2_seed.sql", True),
        ("db/*_seed.sql", "db/2/a_seed.sql", False),
        ("db/**/*_seed.sql", "db/2/a_seed.sql", True),
    ],
)
def test_globs(glob: str, path: str, covered: bool) -> None:
    assert Exclusion((glob,)).covers(path) is covered


def test_globs_are_relative_to_their_folder(shop: Write) -> None:
    shop({"1.sql": TABLE, "2.sql": TABLE})
    assert selected(found(["shop"], "1.sql", folder="shop")) == ["2"]
    assert selected(found(["shop"], "1.sql")) == ["1", "2"]


def test_excluded_files_and_folders_are_not_searched(shop: Write) -> None:
    shop({"1.sql": TABLE, "2_seed.sql": TABLE, "3.sql": TABLE, "notes.sql": TABLE, "drafts/1.sql": TABLE, "other/1.sql": TABLE})
    plan = found(["shop"], "shop/*_seed.sql", "shop/drafts", "shop/notes.sql")
    assert (selected(plan), [source.path for source in plan.sources]) == (["1", "3", "1"], ["shop", "shop/other"])
    assert (plan.skipped, plan.excluded) == ((), ())


def test_an_excluded_file_is_not_history(shop: Write) -> None:
    shop({"1.sql": TABLE, "2_seed.sql": TABLE, "3.sql": TABLE})
    plan = found(["shop/3.sql"], "**/*_seed.sql")
    assert [migration.id for migration in plan.history] == ["1"]


def test_named_excluded_paths_are_listed(shop: Write) -> None:
    shop({"1.sql": TABLE, "2_seed.sql": TABLE, "drafts/1.sql": TABLE})
    plan = found(["shop/2_seed.sql", "shop/drafts", "shop/1.sql"], "shop/drafts", "**/*_seed.sql")
    assert (selected(plan), plan.excluded) == (["1"], ("shop/2_seed.sql", "shop/drafts"))


@pytest.mark.parametrize(
    ("files", "glob", "left"),
    [
        ({"1_a/up.sql": TABLE, "2_b/up.sql": TABLE, "2_b/down.sql": "DROP TABLE a;"}, "shop/2_b", ["1"]),
        ({"V1__a.sql": TABLE, "demo/V2__b.sql": TABLE}, "shop/demo", ["1"]),
        ({"1_a.up.sql": TABLE, "2_b.up.sql": TABLE, "2_b.down.sql": TABLE}, "**/2_*", ["1"]),
        ({"20240101000000_a/migration.sql": TABLE, "20240102000000_b/migration.sql": TABLE}, "**/*_b", ["20240101000000_a"]),
    ],
)
def test_runners_that_search_by_themselves(shop: Write, files: dict[str, str], glob: str, left: list[str]) -> None:
    shop(files)
    assert selected(found(["shop"], glob)) == left


def test_a_downgrade_can_be_excluded(shop: Write) -> None:
    shop({"1_a.up.sql": TABLE, "1_a.down.sql": "DROP TABLE a;"})
    (migration,) = found(["shop"], "**/*.down.sql").migrations
    assert migration.down is None


def test_scripts_of_alembic(shop: Write) -> None:
    revision = "revision = {0!r}\ndown_revision = {1!r}\ndef upgrade(): pass\n"
    shop({"versions/1.py": revision.format("1", None), "versions/draft_2.py": revision.format("2", "1")})
    assert selected(found(["shop/versions"], "**/draft_*")) == ["1"]


def test_new_texts_are_excluded_too(shop: Write) -> None:
    shop({"1.sql": TABLE})
    plan = found(["shop"], "**/*_seed.sql")
    assert selected(plan.edited({str(Path("shop/2.sql").absolute()): Script("shop/2.sql", TABLE)})) == ["1", "2"]
    assert selected(plan.edited({str(Path("shop/2_seed.sql").absolute()): Script("shop/2_seed.sql", TABLE)})) == ["1"]


def test_an_excluded_file_that_is_removed_is_not_gone_from_the_history(shop: Write) -> None:
    shop({"1.sql": TABLE, "2.sql": TABLE, "3.sql": TABLE})
    names = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    for command in (("init",), ("add", "."), ("commit", "-m", "all")):
        subprocess.run(["git", *names, *command], check=True, capture_output=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    Path("shop/2.sql").unlink()
    gone = {}
    for globs in ((), ("**/2.sql",)):
        plan = found(["shop"], *globs)
        compared = plan.compared_with(Comparison("HEAD", ["shop"]))
        gone[globs] = [migration.id for migration, _ in compared.removed]
    assert gone == {(): ["2"], ("**/2.sql",): []}
