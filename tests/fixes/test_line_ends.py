"""The line ends of a fixed file: those that it had, in the lines that stay and in the new ones."""

from pathlib import Path

import pytest

from tests.fixes.test_runners import ADD, BUILD, TABLE, fixes_of, write_files

PARTIAL = "CREATE INDEX open\n    ON orders (id) -- by key\n    WHERE qty > 0\n      AND id > 0;\n"
BLOCK = f"-- +goose Up\n-- +goose StatementBegin\n{ADD}\n{PARTIAL}-- +goose StatementEnd\n\n-- +goose Down\nSELECT 1;\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [("2_b.sql", BLOCK), ("2_b.sql", f"-- +goose Up\n{PARTIAL}"), ("2_b.up.sql", f"{PARTIAL}{BUILD}")],
    ids=["block", "words", "files"],
)
def test_a_file_with_the_line_ends_of_windows_is_fixed_as_any_other(tmp_path: Path, name: str, text: str) -> None:
    results = []
    for folder, line_end in ((tmp_path / "unix", "\n"), (tmp_path / "windows", "\r\n")):
        first = TABLE if name.endswith("up.sql") else f"-- +goose Up\n{TABLE}"
        write_files(folder, {name.replace("2_b", "1_a"): first})
        (folder / name).write_bytes(text.replace("\n", line_end).encode())
        fixes = fixes_of(folder, name, "index-not-concurrent")
        fixes.write()
        results.append({Path(change.path).name: Path(change.path).read_bytes() for change in fixes.changes})
    unix, windows = results
    assert unix != {}
    assert windows == {path: data.replace(b"\n", b"\r\n") for path, data in unix.items()}


def test_lines_that_no_fix_concerns_keep_their_own_end(tmp_path: Path) -> None:
    write_files(tmp_path, {"1_a.sql": TABLE})
    (tmp_path / "2_b.sql").write_bytes(f"{ADD}INSERT INTO orders VALUES (1, '1\r\n2'::text::integer);\n{BUILD}".encode())
    fixes_of(tmp_path, "2_b.sql", "lock-timeout-missing").write()
    written = (tmp_path / "2_b.sql").read_bytes()
    assert (b"'1\r\n2'" in written, written.count(b"\r")) == (True, 1)
