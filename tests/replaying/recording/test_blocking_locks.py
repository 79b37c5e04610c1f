"""Which lock a holder takes next, so that a statement shows the modes that it requests."""

from migsafe.lock import LockMode
from migsafe.replaying.recording.blocking_locks import CONFLICTS, next_blocking_mode

AE = LockMode.ACCESS_EXCLUSIVE


def test_the_next_mode_blocks_only_stronger_requests() -> None:
    assert next_blocking_mode([]) is AE
    assert next_blocking_mode([AE]) is None
    for mode in LockMode:
        found = next_blocking_mode([mode])
        if found is not None:
            assert mode not in CONFLICTS[found]
            assert CONFLICTS[found] >= {one for one in LockMode if one > mode}


def test_conflicts_are_mutual() -> None:
    assert all((one in CONFLICTS[other]) == (other in CONFLICTS[one]) for one in LockMode for other in LockMode)
