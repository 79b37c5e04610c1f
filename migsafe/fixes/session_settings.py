"""The settings of a migration for the statements that fixes move into other migrations, whose sessions may not have them."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from migsafe.fixes.division import Share
from migsafe.fixes.shapes import has_unqualified_name
from migsafe.fixes.steps import Control, Piece, normal
from migsafe.fixes.timeouts import TIMEOUTS
from migsafe.patterns import lazy_pattern
from migsafe.sql.operations import SessionSetting, SetVariable

_LOCAL = lazy_pattern(r"\bLOCAL\s+", re.IGNORECASE)
_OF_ROLE = ("role", "session_authorization")


class MissingSetting(Exception):
    """A migration that can have one statement only needs a setting; the text is the reason, as the end of a sentence."""


def with_settings(shares: Sequence[Share], *, alone: bool) -> list[Share]:
    """Returns the migrations with the settings that the original one makes before their statements, such as search_path. `alone`: one outside
    a transaction can have one statement only. Raises MissingSetting."""
    settings: dict[str, Piece] = {}
    done: list[Share] = []
    for share in shares:
        own = {normal(piece.text): piece for piece in share.pieces if _is_setting(piece)}
        needed = [piece for text, piece in settings.items() if text not in own and _needs(share, piece)]
        if needed and share.outside and alone:
            raise MissingSetting(f"the migration has `{needed[-1].text.rstrip(';')}`, and the new one can have one statement only")
        added = (Piece(_LOCAL.sub("", piece.text, count=1) if share.outside else piece.text) for piece in needed)
        first = sum(piece.control is Control.BEGIN for piece in share.pieces[:1])
        done.append(replace(share, pieces=(*share.pieces[:first], *added, *share.pieces[first:])))
        # The last one of a variable counts.
        settings = {text: piece for text, piece in settings.items() if text not in own} | own
    return done


def _is_setting(piece: Piece) -> bool:
    operations = [op for statement in piece.statements for op in statement.operations]
    return bool(operations) and all(isinstance(op, SessionSetting) and getattr(op, "variable", None) not in TIMEOUTS for op in operations)


def _needs(share: Share, setting: Piece) -> bool:
    """Whether the statements of a migration may depend on a setting: on search_path, if they have a name without a schema."""
    [op] = [op for statement in setting.statements for op in statement.operations][:1]
    if not isinstance(op, SetVariable) or op.variable in _OF_ROLE:
        return True
    return op.variable != "search_path" or any(has_unqualified_name(statement) for piece in share.pieces for statement in piece.statements)
