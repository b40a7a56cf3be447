"""What the heads of tables say of the cells below them."""

from __future__ import annotations

import pytest

from edgeagent.shield import Standard

HEADS = [
    "| # | name | phone |\n|---|---|---|\n| 1 | Ann | {} |\n",
    "| № | name | phone |\n|---|---|---|\n| 1 | Ann | {} |\n",
    "#,name,phone\n1,Ann,{}\n",
    "#\tname\tphone\n1\tAnn\t{}\n",
    "_id;_rev;phone\n1;2-a;{}\n",
    '"_id","#","phone"\n"1","2","{}"\n',
    "<table><tr><th>#</th><th>phone</th></tr><tr><td>1</td><td>{}</td></tr></table>",
    "INSERT INTO people (_id, phone) VALUES (1, '{}');",
]


@pytest.mark.parametrize("table", HEADS)
def test_a_head_names_the_cells_whatever_its_other_names_are(table: str) -> None:
    """A column that only counts the rows, or a name that starts with an underscore, hides no other."""
    value = "612345678"
    text = table.format(value)
    assert [text[m.start : m.end] for m in Standard().find(text)] == [value]


NO_HEADS = [
    "# name, phone\n1, 612345678\n",
    "# | - | + |\n1 | 2 | 612345678 |\n",
    "| # | # | # |\n|---|---|---|\n| 1 | 2 | 612345678 |\n",
]


@pytest.mark.parametrize("text", NO_HEADS)
def test_lines_that_name_nothing_are_no_heads(text: str) -> None:
    """A remark and a line of signs are not above a table."""
    assert Standard().find(text) == []
