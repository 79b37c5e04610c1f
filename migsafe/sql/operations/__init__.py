"""What migrations do: typed, immutable operations. A statement holds one or more of them."""

from migsafe.sql.operations.alterations import *  # noqa: F403
from migsafe.sql.operations.objects import *  # noqa: F403
from migsafe.sql.operations.running import *  # noqa: F403
from migsafe.sql.operations.tables import *  # noqa: F403
from migsafe.sql.operations.values import *  # noqa: F403
