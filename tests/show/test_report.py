"""The report is one page that needs nothing else, and says what it was given."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from abline.errors import OutputError
from abline.show import Paragraph, Picture, Section, Table, render_report, write_report

EMPTY = {"meta", "img", "br", "hr", "link"}


class Page(HTMLParser):
    """Reads a page strictly: every tag closed, in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def assert_self_contained(text: str) -> Page:
    """Check that a page has no way to ask for another file."""
    page = Page(text)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {t for t, _ in page.tags}
    for _, attrs in page.tags:
        for name, value in attrs.items():
            assert not name.startswith("on")
            if name in ("src", "href", "srcset", "action", "data", "poster"):
                assert value.startswith("data:image/png;base64,")
    assert not re.search(r"https?://|url\(|@import", text)
    return page


@pytest.fixture
def picture():
    figure = Figure(figsize=(3, 2))
    figure.add_subplot().plot([0, 1])
    return Picture.from_figure(figure, alt='A line & "more".', caption="It rises.")


@pytest.fixture
def page(picture):
    table = Table(
        "Figures",
        ("quantity", "kind", "abline"),
        (("Group",), ("slope", "exact", "4.3867"), ("<b>", "x", "1")),
        note="Made up.",
        text_columns=2,
    )
    sections = [Section("One", (Paragraph("a < b"), picture)), Section("Two", (table,))]
    return render_report("Title & more", sections, lead="In short.")


def test_the_page_needs_nothing_else(page):
    parsed = assert_self_contained(page)
    assert parsed.all("html") == [{"lang": "en"}]
    assert "prefers-color-scheme: dark" in page
    assert any(meta.get("name") == "viewport" for meta in parsed.all("meta"))


def test_text_cannot_become_markup(page):
    parsed = Page(page)
    assert not parsed.all("b")
    assert {"Title & more", "a < b", "<b>", "In short.", "Made up."} <= set(parsed.text)
    assert [level for level, _ in parsed.tags if level in ("h1", "h2")] == ["h1", "h2", "h2"]


def test_pictures_have_words_and_their_own_bytes(page, picture):
    [image] = Page(page).all("img")
    assert image["alt"] == 'A line & "more".'
    assert base64.b64decode(image["src"].partition(",")[2]) == picture.png
    assert (image["width"], image["height"]) == ("300", "200")
    assert picture.png.startswith(b"\x89PNG")


def test_tables_tell_words_from_numbers_and_groups(page):
    parsed = Page(page)
    columns = [cell for cell in parsed.all("th") if cell.get("scope") == "col"]
    assert [cell.get("class") for cell in columns] == ["words", "words", None]
    [group] = [cell for cell in parsed.all("th") if cell.get("scope") == "rowgroup"]
    assert group["colspan"] == "3"
    assert [cell.get("class") for cell in parsed.all("td")] == ["words", None, "words", None]


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="row 1 of the table 'T' has 2 cells: give 3"):
        Table("T", ("a", "b", "c"), (("1", "2", "3"), ("1", "2")))


def test_a_table_of_one_column_has_no_groups():
    [cell] = [
        cell
        for cell in Page(render_report("T", [Section("S", (Table("t", ("a",), (("1",),)),))])).all(
            "th"
        )
        if cell["scope"] != "col"
    ]
    assert cell["scope"] == "row"


def test_the_same_figure_gives_the_same_picture():
    first, second = (
        Picture.from_figure(Figure(figsize=(2, 2)), alt="Nothing.").png for _ in range(2)
    )
    assert first == second


def test_the_file_is_the_page(tmp_path, picture):
    sections = [Section("S", (picture, Paragraph("Δ é 漢")))]
    before = plt.get_fignums()
    path = write_report(str(tmp_path / "report.html"), "T", sections)
    assert path.read_text(encoding="utf-8") == render_report("T", sections)
    assert plt.get_fignums() == before
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(OutputError, match="report"):
        write_report(tmp_path / "none" / "report.html", "T", [])
