"""The folders in which scripts find the code of their project."""

import os
from pathlib import Path

import pytest

from migsafe.sources import SourceSettings, Step, find_migrations
from migsafe.sources.alembic.path_expressions import added_folders
from migsafe.sources.migration import ImportPath

SCRIPT = 'revision = "0001"\ndown_revision = None\n\n\ndef upgrade():\n    pass\n'


def import_path(root: Path, files: dict[str, str], versions: str = "migrations/versions") -> ImportPath:
    """Returns the import path of a history in a project with these files; an empty text makes a folder."""
    (root / ".git").mkdir()
    for name, text in {f"{versions}/0001_a.py": SCRIPT, **files}.items():
        path = root / name
        if text or name.endswith(".py"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        else:
            path.mkdir(parents=True, exist_ok=True)
    plan = find_migrations([str(root / versions)], SourceSettings())
    step = next(iter(plan.sources[0].steps()))
    assert isinstance(step, Step)
    program = step.migration.up.program
    assert program is not None
    return program.import_path


def names(root: Path, folders: tuple[str, ...]) -> list[str]:
    return [os.path.relpath(folder, root).replace(os.sep, "/") for folder in folders]


def test_prepended_folders_are_first(tmp_path: Path) -> None:
    ini = "[alembic]\nscript_location = migrations\nprepend_sys_path = ../..\n"
    found = import_path(tmp_path, {"lib/depot/db/alembic.ini": ini, "lib/depot/db/migrations/env.py": ""}, "lib/depot/db/migrations/versions")
    assert names(tmp_path, found.first) == ["lib", "lib/depot/db"]
    assert found.root == str(tmp_path)


BUILD_SETTINGS = {
    '[tool.setuptools.packages.find]\nwhere = ["code"]\n': ["code"],
    '[tool.setuptools]\npackage-dir = {"" = "code"}\n': ["code"],
    '[[tool.poetry.packages]]\ninclude = "shop"\nfrom = "code"\n': ["code"],
    '[tool.hatch.build.targets.wheel]\npackages = ["code/shop"]\n': ["code"],
    '[tool.uv.workspace]\nmembers = ["members/*"]\n': ["members/one", "members/one/src"],
    '[tool.uv.sources]\none = {path = "members/one"}\n': ["members/one", "members/one/src"],
    '[tool.poetry.dependencies]\none = {path = "members/one", develop = true}\n': ["members/one", "members/one/src"],
    "[project]\nname = 'shop'\n": ["src"],
}


@pytest.mark.parametrize("settings", BUILD_SETTINGS)
def test_folders_of_the_build_settings_are_last(tmp_path: Path, settings: str) -> None:
    folders = dict.fromkeys(("code/shop", "members/one/src", "src"), "")
    found = import_path(tmp_path, {"pyproject.toml": settings, **folders})
    assert names(tmp_path, found.first) == ["."]
    assert set(BUILD_SETTINGS[settings]) <= set(names(tmp_path, found.last))


def test_a_package_may_have_another_folder(tmp_path: Path) -> None:
    settings = '[tool.setuptools.package-dir]\nshop = "code"\n'
    found = import_path(tmp_path, {"pyproject.toml": settings, "code/__init__.py": ""})
    assert found.packages == (("shop", str(tmp_path / "code")),)


def test_editable_installations_are_found(tmp_path: Path) -> None:
    library = ".venv/lib/python3.12/site-packages"
    files = {
        f"{library}/shop.pth": f"{tmp_path}/code\nimport something\n",
        f"{library}/__editable___depot_finder.py": f"MAPPING: dict[str, str] = {{'depot': '{tmp_path}/depot-code'}}\n",
        "code": "",
        "depot-code": "",
    }
    found = import_path(tmp_path, files)
    assert "code" in names(tmp_path, found.last)
    assert found.packages == (("depot", f"{tmp_path}/depot-code"),)


def test_setup_files_name_folders(tmp_path: Path) -> None:
    files = {
        "setup.cfg": "[options.packages.find]\nwhere = one\n",
        "setup.py": "setup(packages=find_packages('two'), package_dir={'': 'three'})\n",
        **dict.fromkeys(("one", "two", "three"), ""),
    }
    assert {"one", "two", "three"} <= set(names(tmp_path, import_path(tmp_path, files).last))


ADDITIONS = {
    "sys.path.append(os.path.join(os.path.dirname(__file__), '..'))": "{root}",
    "sys.path.insert(0, str(Path(__file__).resolve().parent.parent))": "{root}",
    "sys.path.insert(0, str(Path(__file__).parents[1] / 'src'))": "{root}/src",
    "ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\nsys.path.extend([ROOT + '/src'])": "{root}/src",
    "sys.path = [os.path.realpath(__file__ + '/../..')] + sys.path": "{root}",
    "sys.path += ['lib']": "lib",
    "sys.path.append(os.getcwd())": ".",
}


@pytest.mark.parametrize("text", ADDITIONS)
def test_folders_that_env_adds(tmp_path: Path, text: str) -> None:
    env = tmp_path / "migrations" / "env.py"
    env.parent.mkdir()
    env.write_text(f"import os, sys\nfrom pathlib import Path\n{text}\n")
    (folder,) = added_folders(str(env))
    assert os.path.normpath(folder) == os.path.normpath(ADDITIONS[text].format(root=tmp_path))


def test_unknown_additions_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "env.py").write_text("import sys\nsys.path.append(settings.folder)\nsys.path.append(os.environ['HERE'])\n")
    assert added_folders(str(tmp_path / "env.py")) == ()
