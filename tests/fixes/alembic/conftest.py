"""Projects with Alembic revisions, rendered in one worker process."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migsafe.rendering.renderer import Renderer
from tests.fixes.alembic.edited import Project
from tests.rules.followed_scripts import DEFAULT_ENVIRONMENT


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    with Renderer(seconds=5) as renderer:
        yield renderer


@pytest.fixture
def make_project(tmp_path: Path, renderer: Renderer) -> Callable[..., Project]:
    def make(environment: str = DEFAULT_ENVIRONMENT) -> Project:
        return Project(tmp_path, renderer, environment)

    return make


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()
