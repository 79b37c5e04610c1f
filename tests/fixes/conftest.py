"""What the tests of fixes share."""

from collections.abc import Iterator

import pytest

from migsafe.library import fixes, lint, locks
from tests.rules.followed_scripts import OpenRenderer


@pytest.fixture(scope="module")
def one_renderer() -> Iterator[None]:
    """Lets every lint, fix and prediction of a module render its revisions in one worker process."""
    renderer = OpenRenderer()
    with pytest.MonkeyPatch.context() as patch:
        for module in (fixes, lint, locks):
            patch.setattr(module, "make_renderer", lambda settings, kept: renderer)
        yield
    renderer.close()
