"""Text tables: layout, types and missing cells, against the csv module and pandas."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abline.tables import ReadOptions, Table, load_table, read_table

MINUTE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def load(tmp_path):
    def write_and_load(content: str | bytes, name: str = "homes.csv", **options) -> Table:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_table(path, ReadOptions(**options))

    return write_and_load


def columns(table: Table) -> dict[str, list]:
    return table.frame.to_dict(as_series=False)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_past_quoted_ones(load, delimiter):
    others = "".join(set(",;\t|") - {delimiter})
    rows = [["name", "size"], [f"a{others}b", "1"], [f"c{delimiter}{others}", "2"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)
    table = load(text.getvalue())
    assert columns(table) == {"name": [rows[1][0], rows[2][0]], "size": [1, 2]}
    assert any("separated by" in note for note in table.notes) == (delimiter != ",")


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        ("words\nred, blue\n", "a.csv", None),  # a comma in the only column: ambiguous
        ("words\nred\nblue\n", "a.csv", {"words": ["red", "blue"]}),
        ("a,b\tc,d\n1,2\t3,4\n", "a.tsv", {"a,b": ["1,2"], "c,d": ["3,4"]}),
        ("a,b\n1,2\n", "a.tsv", {"a": [1], "b": [2]}),
        ("a b;c\n1;2\n", "a.txt", {"a b": [1], "c": [2]}),
    ],
)
def test_one_column_and_misleading_endings(load, content, name, expected):
    if expected is None:
        with pytest.raises(ValueError, match="2 cells in row 1"):
            load(content, name)
        return
    options = {"decimal": "."} if name == "a.tsv" and "\t" in content else {}
    assert columns(load(content, name, **options)) == expected


@pytest.mark.parametrize("name", [";", "semicolon"])
def test_a_given_delimiter_overrules(load, name):
    assert columns(load("a,b;c\n1,2;3\n", delimiter=name, decimal=".")) == {
        "a,b": ["1,2"],
        "c": [3],
    }


@pytest.mark.parametrize("tab", ["\t", "\\t", "tab", "TAB"])
def test_names_of_the_tab(tab):
    assert ReadOptions(delimiter=tab).delimiter == "\t"


def test_a_european_file(load):
    content = "größe;preis;ort\n12,5;1.250,75;Köln\n7;999,00;Århus\n".encode("latin-1")
    table = load(content, encoding="latin-1")
    assert columns(table) == {
        "größe": [12.5, 7.0],
        "preis": [1250.75, 999.0],
        "ort": ["Köln", "Århus"],
    }
    assert any("decimal commas" in note for note in table.notes)


def test_decimal_commas_are_not_guessed_beside_points(load):
    table = load("a;b\n1,5;2.5\n2,5;3.5\n")
    assert columns(table) == {"a": ["1,5", "2,5"], "b": [2.5, 3.5]}
    assert any("'a' has decimal commas and 'b' decimal points" in note for note in table.notes)


@pytest.mark.parametrize(
    ("content", "decimal", "expected"),
    [
        ('a,b\n"1,5",2\n', ",", [1.5]),
        ("a;b\n1.234;2\n", ",", [1234]),
        ("a;b\n1.5;2\n", ",", ["1.5"]),  # neither thousands nor a comma
        ("a;b\n1,5;2\n", ".", ["1,5"]),
        ("a;b\n-,5;2\n", ",", [-0.5]),
        ("a;b\n1,5e3;2\n", ",", [1500.0]),
    ],
)
def test_a_given_decimal_overrules(load, content, decimal, expected):
    assert columns(load(content, decimal=decimal))["a"] == expected


@pytest.mark.parametrize(
    ("encoding", "given"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-32", None),
     ("utf-16-le", "utf-16-le"), ("cp1252", "cp1252"), ("utf-8", "UTF-8"), ("utf-8-sig", "utf8")],
)  # fmt: skip
def test_encodings(load, encoding, given):
    table = load("größe,ort\n1,Köln\n".encode(encoding), encoding=given)
    assert columns(table) == {"größe": [1], "ort": ["Köln"]}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2"], [1, 2]),
        (["+1", "-2"], [1, -2]),
        (["007", "10"], [7, 10]),
        ([" 1", "2 "], [1, 2]),
        (["1", "2.5"], [1.0, 2.5]),
        ([".5", "-1e3"], [0.5, -1000.0]),
        (["inf", "-Infinity"], [float("inf"), float("-inf")]),
        (["true", "False"], [True, False]),
        (["TRUE", " NA"], [True, None]),
        (["99999999999999999999", "1"], [1e20, 1.0]),
        (["2024-02-29", ""], [dt.date(2024, 2, 29), None]),
        (["2023-02-29", "x"], ["2023-02-29", "x"]),
        (["2024-01-02T03:04:05.5", "2024-01-02 03:04"],
         [dt.datetime(2024, 1, 2, 3, 4, 5, 500_000), dt.datetime(2024, 1, 2, 3, 4)]),
        (["2024-01-02T03:04+01:00", "2024-01-02"],
         [dt.datetime(2024, 1, 2, 2, 4), dt.datetime(2024, 1, 2)]),
        (["01/02/2024", "31/12/2024"], ["01/02/2024", "31/12/2024"]),  # whose order nobody knows
        (["NA", "null"], [None, None]),
        ([" red", "NA "], [" red", None]),
        (["0x10", "1_000"], ["0x10", "1_000"]),
    ],
)  # fmt: skip
def test_types_of_cells(load, cells, expected):
    text = "a,b\n" + "".join(f"{cell},z\n" for cell in cells)
    found = load(text).frame["a"]
    assert found.to_list() == expected
    assert [type(cell) for cell in found] == [type(cell) for cell in expected]


def test_a_column_without_cells_is_one_of_floats(load):
    assert load("a,b\n,1\nNA,2\n").frame.schema["a"] == pl.Float64


def test_a_type_that_shows_late_is_found(load):
    rows = 12_000  # beyond those that polars first looks at
    late = ["1"] * rows + ["2.5"]
    text = ["true"] * rows + ["maybe"]
    empty = [""] * rows + ["3"]
    table = load(
        "a,b,c\n" + "".join(",".join(row) + "\n" for row in zip(late, text, empty, strict=True))
    )
    assert table.frame.schema == {"a": pl.Float64, "b": pl.String, "c": pl.Int64}
    assert table.frame.row(-1) == (2.5, "maybe", 3)


def test_words_for_missing_cells_are_those_of_pandas(load):
    words = sorted(pd._libs.parsers.STR_NA_VALUES)
    table = load("a,b\n" + "".join(f"{word},1\n" for word in words))
    assert table.frame["a"].null_count() == len(words)


@pytest.mark.parametrize(
    ("na", "expected"),
    [
        (None, {"a": [-999, 2, None], "b": ["?", "red", None]}),
        (("-999", "?"), {"a": [None, 2, None], "b": [None, "red", None]}),
        (("-999.0",), {"a": [None, 2, None], "b": ["?", "red", None]}),
        ((), {"a": [" -999", "2", "NA"], "b": ["?", "red", None]}),
    ],
)
def test_own_words_for_missing_cells(load, na, expected):
    assert columns(load("a,b\n -999,?\n2,red\nNA,\n", na=na)) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2\n\n3,4\n \n\n", {"a": [1, 3], "b": [2, 4]}),
        ("\n\na,b\n1,2\n", {"a": [1], "b": [2]}),
        ("a\n1\n\n3\n\n\n", {"a": [1, None, 3]}),
        ('a\n1\n""\n', {"a": [1, None]}),
        ("a,b\n1,2\n,\n", {"a": [1, None], "b": [2, None]}),
        ("a,b\r\n1,2\r\n\r\n3,4", {"a": [1, 3], "b": [2, 4]}),
        ("a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),
        ('a,b\n1,5" disk\n\n2,z\n', {"a": [1, 2], "b": ['5" disk', "z"]}),
        ('a,b\n1,5" disk\n2,"y\rz"\n', {"a": [1, 2], "b": ['5" disk', "y\rz"]}),
        ('"a ""1""",b\n1,"x\ny"\n', {'a "1"': [1], "b": ["x\ny"]}),
    ],
)
def test_blank_lines_line_ends_and_quotes(load, content, expected):
    assert columns(load(content)) == expected


def test_columns_without_a_name_get_one(load):
    table = load(",column_1,\n1,2,3\n")
    assert table.frame.columns == ["column_1_", "column_1", "column_3"]
    assert "column 3 has no name and is called 'column_3'" in table.notes


def test_a_missing_header_is_noticed(load):
    assert any("nothing but numbers" in note for note in load("1,2.5\n3,4\n").notes)


@pytest.mark.parametrize(
    ("odd", "note"),
    [
        (["n/a?"], "because of 'n/a?' in row 20: --na 'n/a?' would make it a number"),
        (["?", "-"], "because of '?' in row 20: 1 other cell is no number either"),
        (["x"] * 5, "because of 'x' in row 20: --na 'x' would make it a number"),
        (["x"] * 20, None),
    ],
)
def test_nearly_a_column_of_numbers(load, odd, note):
    table = load("area,b\n" + "1.5,z\n" * 19 + "".join(f"{cell},z\n" for cell in odd))
    assert table.frame.schema["area"] == pl.String
    assert [note in found for found in table.notes] == ([True] if note else [])


CELLS = st.text(st.sampled_from("abé ,;|\t\"'\n\r0.-"), max_size=6)


@MINUTE
@given(
    rows=st.integers(2, 4).flatmap(
        lambda width: st.lists(
            st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6
        )
    ),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_cells_come_back(load, rows, delimiter, quoting, line_end):
    rows = [[f"x{cell}" for cell in row] for row in rows]  # so that they stay text
    if quoting == csv.QUOTE_MINIMAL:  # which leaves a carriage return bare
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    names = [f"c{i}" for i in range(len(rows[0]))]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    writer.writerows([names, *rows])
    frame = load(text.getvalue(), delimiter=delimiter).frame
    assert frame.columns == names
    assert [list(row) for row in frame.rows()] == rows


@MINUTE
@given(cells=st.lists(st.text('ab" ', min_size=1, max_size=5), min_size=1, max_size=8))
def test_stray_quotes_are_read_as_the_csv_module_does(load, cells):
    cells = ["x" + cell for cell in cells]
    content = "a,b\n" + "".join(f"{cell},z\n" for cell in cells)
    expected = [row[0] for row in csv.reader(io.StringIO(content))][1:]
    assert load(content).frame["a"].to_list() == expected


@MINUTE
@given(
    numbers=st.lists(st.none() | st.floats(allow_nan=False), min_size=1, max_size=20),
    decimal=st.sampled_from(".,"),
)
def test_any_numbers_come_back_to_the_last_digit(load, numbers, decimal):
    cells = ["" if number is None else repr(number).replace(".", decimal) for number in numbers]
    content = "a;b\n" + "".join(f"{cell};z\n" for cell in cells)
    found = load(content, decimal=decimal).frame["a"].cast(pl.Float64).to_list()
    assert found == numbers


def test_read_table_is_the_frame_alone(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_text("a;b\n1,5;?\n")
    frame = read_table(str(path), delimiter=";", decimal=",", na=["?"])
    assert frame.to_dict(as_series=False) == {"a": [1.5], "b": [None]}
