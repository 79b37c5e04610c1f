"""Classes of a script whose base class is in a package that is not installed."""

import pytest

from tests.rendering.conftest import Render, sent

pytestmark = pytest.mark.process

ADD = 'op.add_column("a", sa.Column("x", {type}))'
SECRET = "class Secret(EncryptedType):\n    pass\n"


@pytest.mark.parametrize("written", ["Secret(sa.Text, 'key')", "Secret", "Secret()"])
@pytest.mark.parametrize(("package", "type_"), [("sqlalchemy_utils", "BYTEA"), ("depot.types", '"⟨depot.Secret⟩"')])
def test_a_class_can_be_the_type_of_a_column(render: Render, written: str, package: str, type_: str) -> None:
    half = render(ADD.format(type=written), before=f"from {package} import EncryptedType\n{SECRET}")
    assert sent(half) == [f"ALTER TABLE a ADD COLUMN x {type_};"]


def test_a_base_that_is_known_counts(render: Render) -> None:
    half = render(
        ADD.format(type="Money"),
        before="from depot.types import Mixin\nclass Money(Mixin, sa.types.TypeDecorator):\n    impl = sa.Numeric(10, 2)\n",
    )
    assert sent(half) == ["ALTER TABLE a ADD COLUMN x NUMERIC(10, 2);"]


def test_what_the_class_does_not_define_is_unknown(render: Render) -> None:
    half = render(
        """
        thing = Thing("a", size=3)
        op.execute(f"SELECT {thing.own}")
        if thing.flag or Thing.setting:
            op.drop_table("a")
        with thing as entered:
            for name in entered["names"]:
                op.execute(f"SELECT '{name}'")
        """,
        before="from depot.things import Base\nclass Thing(Base):\n    own = 1\n",
    )
    assert sent(half) == ["SELECT 1;", "? DROP TABLE a;", "? SELECT '⟨depot.Thing[names][…]⟩';"]
