"""What is asked about before it runs, measured on a corpus of evasions and of ordinary analysis."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt_code_ui.demo_model import scripts
from gpt_code_ui.protocol import Reason
from gpt_code_ui.risk import Folder, reasons_for
from gpt_code_ui.risk.magics import FLAGS, never_runs

CORPUS = Path(__file__).parent / "risk"
FOLDER = Folder(
    brought=frozenset({"sales.csv", "data/a.xlsx", "my.db", "photo.jpg"}),
    all=frozenset({"sales.csv", "data/a.xlsx", "my.db", "photo.jpg", "helper_in_folder.py"}),
)
# Cells that ran before in the conversations of the ordinary corpus.
BEFORE = (
    "import pandas as pd, numpy as np, matplotlib.pyplot as plt, seaborn as sns, os\n"
    "df = pd.read_csv('sales.csv')\nX = y = X_train = y_train = df",
)


def snippets(name: str) -> list[str]:
    """The snippets of a corpus; a line of four dashes parts them."""
    return (CORPUS / name).read_text("utf-8").removesuffix("\n").split("\n----\n")


EVASIONS, ORDINARY = snippets("evasions.txt"), snippets("ordinary.txt")


def test_the_corpus_is_large_and_has_nothing_twice() -> None:
    assert len(set(EVASIONS)) == len(EVASIONS) >= 150
    assert len(set(ORDINARY)) == len(ORDINARY) >= 150


def test_every_evasion_is_asked_about() -> None:
    assert [code for code in EVASIONS if not reasons_for(code, FOLDER)] == []


def test_ordinary_analysis_is_hardly_ever_asked_about() -> None:
    asked = [code for code in ORDINARY if reasons_for(code, FOLDER, BEFORE)]
    assert asked == [
        "import timeit\ntimeit.timeit(lambda: sum(range(10)), number=10)",
        "import pickle",
        "print(r'C:\\temp')",
    ]
    assert len(asked) <= 0.02 * len(ORDINARY)


def test_the_demo_is_not_asked_about() -> None:
    table = scripts.ROWS_OF_TEXT + scripts.TABLE_OF_ROWS
    for code in (table, scripts.ROWS_OF_JSON, scripts.ROWS_OF_XLSX, scripts.DESCRIBE):
        named = f"import pandas as pd\nname = 'sales.csv'\n{code}"
        assert reasons_for(named, FOLDER) == []


def about(code: str, *before: str) -> list[tuple[int, str | None, str | None]]:
    return [(one.line, one.kind, one.what) for one in reasons_for(code, FOLDER, before)]


def test_reasons_have_their_lines_and_kinds() -> None:
    code = "import os\n\nos.remove('sales.csv')\nimport requests\n!pip install x\n%env"
    assert about(code) == [
        (3, "files", "sales.csv"),
        (4, "network", "requests"),
        (5, "install", "!pip install x"),
        (6, "outside", "%env"),
    ]
    assert reasons_for("x = (") == [Reason(line=1, text="the code cannot be read", kind="hidden")]


def test_what_a_cell_made_may_be_deleted_and_what_the_person_brought_may_not() -> None:
    assert about("import os; os.remove('made.csv')") == []
    assert about("import os; os.remove('sales.csv')") == [(1, "files", "sales.csv")]
    many = Folder(complete=False)
    assert [one.kind for one in reasons_for("open('x.txt', 'w')", many)] == ["files"]


def test_earlier_cells_are_known() -> None:
    assert about("f('ls')", "import os\nf = os.getcwd") == []
    assert about("o.remove(p)", "import os as o", "p = 'sales.csv'") == [(1, "files", "sales.csv")]
    assert about("pd.read_csv(path)", "import pandas as pd", "path = 'a.csv'") == []
    assert about("pd.read_csv(path)", "import pandas as pd")[0][1] == "hidden"


def test_a_file_of_the_folder_hides_a_library() -> None:
    folder = Folder(all=frozenset({"json.py"}))
    assert [one.kind for one in reasons_for("import json", folder)] == ["hidden"]


@pytest.mark.parametrize(
    "code", ["x = " + "(" * 5000, "-" * 50_000 + "1", "[" * 80 + "]" * 80 + "\0", "x" * 300_000]
)
def test_code_made_to_break_the_reader_is_asked_about(code: str) -> None:
    assert [one.kind for one in reasons_for(code)] == ["hidden"]


def test_reading_takes_no_longer_than_a_blink() -> None:
    """Bindings that refer to each other in every way are given up, not followed for ever."""
    names = [f"a{n}" for n in range(60)]
    code = "\n".join(f"{one} = {' + '.join(names)}" for one in names) + "\nopen(a0)"
    assert [one.kind for one in reasons_for(code)] == ["hidden"]


@pytest.mark.parametrize(
    "code", ["print(", "for x in y\n    pass", "x = = 1", "def f(:\n  pass", "1 2"]
)
def test_what_is_no_code_only_fails(code: str) -> None:
    assert [one.kind for one in reasons_for(code)] == ["hidden"]
    assert reasons_for(code, our_grammar=True) == []


@pytest.mark.parametrize(
    "code",
    [
        "!ls (",
        "x = !ls (",
        "%run (",
        "/f (",
        ",f a",
        ";f a b",
        "f(?",
        "    import os(",
        ">>> f(",
        "... f(",
        "In [1]: f(",
        "ok\n  %%bash (",
        "x = %env (",
    ],
)
def test_what_ipython_may_run_is_asked_about(code: str) -> None:
    assert reasons_for(code, our_grammar=True) != []


def test_what_is_no_code_may_be_some_once_ipython_was_changed() -> None:
    earlier = ["get_ipython().input_transformers_cleanup.append(f)"]
    assert reasons_for("print(", earlier=earlier, our_grammar=True) != []


@settings(max_examples=2000, deadline=None)
@given(st.text(alphabet="%!?,;/ \n=ab()[]'\"\\\t>.:#@In1\x0c\r", max_size=30))
def test_whatever_ipython_makes_code_of_is_asked_about(code: str) -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    if never_runs(code):
        try:
            made = TransformerManager().transform_cell(code)
        except SyntaxError:
            return
        with pytest.raises((SyntaxError, ValueError)):
            compile(made, "cell", "exec", FLAGS)
