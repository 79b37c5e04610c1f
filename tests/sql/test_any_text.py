"""Any text can be read, and the spans of all statements and operations are inside it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from migsafe.sql.statements import read

FRAGMENTS = st.sampled_from(
    """' " $$ $a$ /* */ -- ; ( ) [ ] \\ \\. \\gexec E' U&' :x {{ }} ${ } DO BEGIN END IF THEN LOOP CASE WHEN EXECUTE INTO COPY FROM stdin
    SELECT WITH CREATE TABLE FUNCTION RULE ALTER ADD DROP COLUMN AS ATOMIC a 1 , . :: .. = é x'""".split()
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.one_of(
        st.text(), st.lists(FRAGMENTS).map(" ".join), st.lists(FRAGMENTS).map("\n".join), st.binary().map(lambda data: data.decode("latin-1"))
    )
)
def test_any_text_can_be_read(text: str) -> None:
    end = 0
    for statement in read(text):
        # A meta-command inside a statement comes before it, because psql runs it first.
        assert end <= statement.span.start or "\\" in text
        end = statement.span.end
        assert statement.span.start <= end <= len(text)
        assert statement.operations
        for operation in statement.operations:
            assert 0 <= operation.span.start <= operation.span.end <= len(text)
