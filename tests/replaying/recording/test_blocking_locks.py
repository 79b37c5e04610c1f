"""Which lock a holder takes next, so that a statement shows the modes that it requests."""

from migsafe.lock import LockMode
from migsafe.replaying.recording.blocking_locks import CONFLICTS, next_blocking_mode

AE = LockMode.ACCESS_EXCLUSIVE


def test_the_next_mode_blocks_only_stronger_requests() -> None:
    assert next_blocking_mode([]) is AE
    assert next_blocking_mode([AE]) is None
    for mode in LockMode:
        blocking = next_blocking_mode([mode])
        if blocking is not None:
            assert mode not in CONFLICTS[blocking]
            assert CONFLICTS[blocking] >= {stronger for stronger in LockMode if stronger > mode}


def test_conflicts_are_mutual() -> None:
    assert all((first in CONFLICTS[second]) == (second in CONFLICTS[first]) for first in LockMode for second in LockMode)
