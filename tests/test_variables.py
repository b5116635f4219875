"""The kernel's variables: real kernels, real pandas, Polars and NumPy, and classes of ill will."""

import asyncio
import json
import queue
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.kernel.inside.variables import Questions
from gpt_code_ui.kernel.jupyter import Answered
from gpt_code_ui.kernel.queries import Queries
from gpt_code_ui.protocol import Query, QueryAnswered, SandboxLevel
from tests.cage_fixtures import need
from tests.kernel_fixtures import Rig, Talk, running_rig

pytestmark = pytest.mark.keeps("one manager and one kernel serve the module")


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_rig() as rig:
        yield rig


@pytest.fixture(scope="module")
def talk(rig: Rig) -> Talk:
    """A conversation whose kernel tests leave alive and idle, with frames of three libraries."""
    talk = rig.conversation()
    assert talk.run(FRAMES).status == "ok"
    talk.settled()
    return talk


FRAMES = """
import numpy, pandas
frame = pandas.DataFrame({
    "n": [3.0, 1.0, 2.0, None], "city": ["Berlin", "Paris", None, "Bergen"],
    "when": pandas.to_datetime(["2020-01-01", "2021-05-05", None, "2019-01-01"]),
    "sort": pandas.Categorical(["x", "y", None, "x"]),
    "whole": pandas.array([1, None, 3, 2], dtype="Int64"), "yes": [True, False, True, False],
})
labelled = frame.set_index("yes")
record = numpy.array([(1, "a"), (2, "b")], dtype=[("x", "i4"), ("y", "U3")])
matrix = numpy.arange(12).reshape(3, 4)
cube = numpy.zeros((2, 3, 4))
"""


def ask(talk: Talk, what: str = "variables", **fields: Any) -> dict[str, Any]:
    """What is answered; an error's fields where it is one."""
    query = Query.model_validate({"query_id": uuid.uuid4().hex, "what": what, **fields})
    answered = talk.client.query(talk.id, query)
    if answered.error is not None:
        return answered.error.model_dump()
    assert answered.content is not None
    return answered.content


def rows(talk: Talk, name: str, **fields: Any) -> dict[str, Any]:
    return ask(talk, "rows", name=name, **fields)


def labels(talk: Talk, name: str, **fields: Any) -> list[str]:
    found = rows(talk, name, **fields)
    assert "index" in found, found
    return list(found["index"])


def variable(talk: Talk, name: str) -> dict[str, Any]:
    return next(one for one in ask(talk)["variables"] if one["name"] == name)


def one_line(talk: Talk, code: str) -> dict[str, Any]:
    """The row of the variable ``it`` after running code that makes it."""
    assert talk.run(code).status == "ok"
    talk.settled()
    return variable(talk, "it")


# --- the list ----------------------------------------------------------------------------------


def test_a_variable_has_name_type_shape_memory_and_first_values(talk: Talk) -> None:
    found = variable(talk, "frame")
    assert (found["type"], found["shape"], found["table"]) == ("DataFrame", [4, 6], True)
    assert found["memory"] > 4 * 8
    assert found["first"] == (
        "n: 3, city: Berlin, when: 2020-01-01 00:00:00, sort: x, whole: 1, yes: True"
    )
    array = variable(talk, "matrix")
    assert (array["dtype"], array["shape"], array["memory"]) == ("int64", [3, 4], 96)


def test_modules_functions_classes_and_ipythons_own_are_no_variables(talk: Talk) -> None:
    talk.run("def a_function(): pass\nclass AClass: pass\n_hidden = 1\nseen = 2")
    talk.settled()
    names = {one["name"] for one in ask(talk)["variables"]}
    assert {"seen", "frame"} <= names
    assert not names & {"a_function", "AClass", "_hidden", "pandas", "In", "Out", "exit", "_"}


@pytest.mark.parametrize(
    ("code", "first", "shape"),
    [
        ("it = 'a' * 1000", "'" + "a" * 198 + "…", [1000]),
        ("it = 10 ** 3000", "<int of 9,966 bits>", None),
        ("it = list(range(100))", "[0, 1, 2, 3, 4, 5, 6, 7, …]", [100]),
        ("it = {'k': [1, (2,)]}", "{'k': [1, (2,)]}", [1]),
        ("import datetime; it = datetime.date(2020, 1, 1)", "datetime.date(2020, 1, 1)", None),
        ("it = cube", "[0, 0, 0, 0, 0, 0, 0, 0, …]", [2, 3, 4]),
        ("it = (n for n in [1])", "<generator object>", None),
        ("it = []; it.append(it)", "[[[<list of 1>]]]", [1]),
        ("import enum\nclass C(enum.Enum): RED = 1\nit = C.RED", "C.RED", None),
        ("class P: pass\nit = P(); it.x = 1", "P(x=1)", None),
    ],
)
def test_first_values(talk: Talk, code: str, first: str, shape: list[int] | None) -> None:
    found = one_line(talk, code)
    assert (found["first"], found.get("shape")) == (first, shape)


EVIL = """
touched = []
class Evil:
    def _touch(self, *args): touched.append(1); raise SystemExit
    __repr__ = __str__ = __len__ = __eq__ = __ne__ = __lt__ = __bool__ = __hash__ = _touch
    __sizeof__ = __iter__ = __getitem__ = __getattribute__ = __class_getitem__ = _touch
    shape = dtype = memory_usage = property(_touch)
class Kind(type):
    __repr__ = __instancecheck__ = __subclasscheck__ = Evil._touch
    @property
    def __name__(cls): touched.append(1); return "x"
class Worse(metaclass=Kind): pass
class EvilList(list):
    __iter__ = __len__ = __repr__ = __getitem__ = __sizeof__ = Evil._touch
class EvilFrame(pandas.DataFrame):
    shape = property(Evil._touch)
    __len__ = __repr__ = memory_usage = Evil._touch
evil, worse, evils = Evil(), Worse(), EvilList([1, 2])
class Fake: shape = property(Evil._touch)
Fake.__module__ = "pandas"; Fake.__qualname__ = "DataFrame"
fake = Fake()
evil_frame = EvilFrame({"a": [1, 2]})
holds = numpy.empty(4, dtype=object)
holds[0], holds[1], holds[2] = 1, "z", evil
objects = pandas.DataFrame({"o": holds})
array_of = numpy.empty(2, dtype=object)
array_of[0] = array_of[1] = evil
touched.clear()
"""


def test_nothing_that_a_class_defines_is_called(talk: Talk) -> None:
    ran = talk.run(EVIL)
    assert ran.status == "ok", ran.error
    talk.settled()
    found = {one["name"]: one for one in ask(talk)["variables"]}
    assert found["evil"]["first"] == "<Evil object>"
    assert found["worse"]["first"] == "<Worse object>"
    assert (found["evils"]["first"], found["evils"]["shape"]) == ("EvilList([1, 2])", [2])
    assert found["fake"].get("shape") is None
    assert found["evil_frame"]["shape"] == [2, 1]
    assert rows(talk, "evil_frame")["rows"] == [["1"], ["2"]]
    for more in ({}, {"sort": "o"}, {"sort": "-o"}, {"filter": "o > 0"}, {"filter": "z"}):
        assert "index" in rows(talk, "objects", **more), more
        assert "index" in rows(talk, "array_of", **{k: v.replace("o", "values")
                                                    for k, v in more.items()})  # fmt: skip
    assert talk.run("touched").value == "[]"


def test_many_and_large_variables_stay_within_bounds(talk: Talk) -> None:
    talk.run("globals().update({f'many{n}': ['x' * 10_000] * 1000 for n in range(3000)})")
    talk.settled()
    found = ask(talk)
    assert (len(found["variables"]), found["total"] > 3000) == (2000, True)
    talk.run("for n in range(3000): del globals()[f'many{n}']\ndel n")
    talk.settled()


# --- the kernel's state ------------------------------------------------------------------------

STATE = """
import gc, sys, threading, warnings
def state():
    return (sorted(name for name in globals() if not name.startswith('_')), len(Out), _,
            sorted(sys.modules), threading.active_count(), len(warnings.filters),
            get_ipython().events.callbacks['post_execute'][:], frame.to_json())
before = after = None
"""


def test_looking_changes_nothing(talk: Talk) -> None:
    talk.run(STATE)
    talk.run("'the last value'")
    # What pandas itself loads late is loaded.
    talk.run("frame.sort_values('city').city.str.contains('x').sum();")
    first = talk.run("before = state()")
    seen = talk.settled()
    ask(talk)
    for name, more in (("frame", {"sort": "-n", "filter": "city ~ ber"}), ("matrix", {})):
        assert "rows" in rows(talk, name, **more)
    assert talk.events[seen:] == []
    second = talk.run("after = state()")
    assert second.end.execution_count == (first.end.execution_count or 0) + 1
    assert talk.run("[n for n, (a, b) in enumerate(zip(before, after)) if a != b]").value == "[]"


def test_output_of_a_thread_still_goes_to_its_cell_after_a_look(talk: Talk) -> None:
    ran = talk.post(
        "import threading\ngo = threading.Event()\n"
        "def later():\n    go.wait(); print('from the thread', flush=True)\n"
        "worker = threading.Thread(target=later); worker.start()"
    )
    talk.finished(ran)
    talk.settled()
    ask(talk)
    talk.run("go.set(); worker.join()")
    talk.printed(ran, "from the thread")


# --- when it cannot be answered ----------------------------------------------------------------


def test_while_a_cell_runs_it_is_said_and_afterwards_it_works(talk: Talk) -> None:
    cell = talk.post("input('wait')")
    talk.wait(lambda e: getattr(e, "type", "") == "input_requested")
    assert ask(talk)["code"] == "busy"
    assert rows(talk, "frame")["code"] == "busy"
    talk.client.interrupt(talk.id)
    talk.finished(cell)
    talk.settled()
    assert ask(talk)["state"] == "idle"


def test_without_a_kernel_nothing_is_started(rig: Rig) -> None:
    query = Query(query_id="q", what="variables")
    assert rig.client.query("nobody", query).content == {"state": "parked"}
    talk = rig.conversation()
    talk.run("1")
    rig.client.stop(talk.id)
    talk.state("parked")
    assert ask(talk) == {"state": "parked"}


def test_a_kernel_that_dies_answers_nobody(rig: Rig) -> None:
    talk = rig.conversation()
    talk.run("import os, threading, time\nbig = list(range(10))")
    talk.settled()
    talk.run("threading.Timer(.3, lambda: os._exit(1)).start()")
    talk.state("dead")
    talk.state("idle", after=len(talk.events))
    found = ask(talk)
    assert (found["state"], found["variables"]) == ("idle", [])
    rig.client.stop(talk.id)


def test_what_does_not_exist_is_said(talk: Talk) -> None:
    assert rows(talk, "nothing")["code"] == "not_found"
    assert rows(talk, "cube")["message"] == "cube is no table."
    assert rows(talk, "frame", sort="nothing")["message"] == "There is no column nothing."
    assert (
        rows(talk, "frame", filter="n > much")["message"] == "n holds numbers, and 'much' is none."
    )
    assert rows(talk, "frame", filter="nothing = 1")["hint"] is not None
    assert rows(talk, "frame", filter="when > later")["code"] == "invalid"


# --- rows --------------------------------------------------------------------------------------


def test_a_page_of_rows(talk: Talk) -> None:
    found = rows(talk, "frame", offset=1, limit=2)
    assert [(c["name"], c["kind"]) for c in found["columns"]] == [
        ("n", "number"), ("city", "text"), ("when", "time"), ("sort", "text"),
        ("whole", "number"), ("yes", "boolean"),
    ]  # fmt: skip
    assert (found["total"], found["matching"], found["index"]) == (4, 4, ["1", "2"])
    assert found["rows"] == [
        ["1", "Paris", "2021-05-05 00:00:00", "y", None, "False"],
        ["2", None, None, None, "3", "True"],
    ]
    assert rows(talk, "frame", offset=99)["rows"] == []
    assert rows(talk, "frame", column=4)["rows"][0] == ["1", "True"]
    assert labels(talk, "labelled") == ["True", "False", "True", "False"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("n", "1203"), ("-n", "0213"), ("n:desc", "0213"), ("#0", "1203"), ("city", "3012"),
        ("-city", "1032"), ("when", "3012"), ("-when", "1032"), ("whole", "0321"),
        ("-whole", "2301"), ("yes", "1302"), ("-yes", "0213"), ("sort", "0312"),
    ],
)  # fmt: skip
def test_sorted_rows_missing_ones_last(talk: Talk, library: str, sort: str, expected: str) -> None:
    assert "".join(labels(talk, in_library(talk, library), sort=sort)) == expected


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("n > 1", "02"), ("n =", "3"), ("n !=", "012"), ("n != 1", "02"), ("city ~ ber", "03"),
        ("city = Berlin", "0"), ("city != Berlin", "13"), ("city !~ ber", "1"),
        ("when > 2020-01-01", "1"), ("when = 2021-05-05", "1"), ("sort ~ X", "03"),
        ("sort = y", "1"), ("whole >= 2", "23"), ("yes = true", "02"), ("ber", "03"),
        ("2", "23"), ('"ber"', "03"), ("n > 1 and city ~ ber", "0"),
        ("`n` < 3 & yes=false", "1"), ("CITY ~ par", "1"), ("nowhere", ""),
    ],
)  # fmt: skip
def test_filtered_rows(talk: Talk, library: str, filter: str, expected: str) -> None:
    assert "".join(labels(talk, in_library(talk, library), filter=filter)) == expected


def in_library(talk: Talk, library: str) -> str:
    """The frame's name in that library; Polars is not there everywhere."""
    if library == "pandas":
        return "frame"
    pytest.importorskip("polars")
    if "polar" not in {one["name"] for one in ask(talk)["variables"]}:
        assert talk.run("import polars; polar = polars.from_pandas(frame)").status == "ok"
        talk.settled()
    return "polar"


def test_arrays_and_records_are_tables(talk: Talk) -> None:
    assert rows(talk, "matrix", sort="-2")["rows"][0] == ["8", "9", "10", "11"]
    found = rows(talk, "record", sort="-y")
    assert (found["rows"], [c["name"] for c in found["columns"]]) == (
        [["2", "b"], ["1", "a"]], ["x", "y"],
    )  # fmt: skip
    talk.run("column = pandas.Series([3, numpy.nan, 1], name='q', index=list('abc'))")
    talk.settled()
    assert labels(talk, "column", sort="-q") == ["a", "c", "b"]


def test_rows_follow_what_a_cell_changes(talk: Talk) -> None:
    talk.run("grows = pandas.DataFrame({'v': [1, 2]})")
    talk.settled()
    assert labels(talk, "grows", sort="-v") == ["1", "0"]
    talk.run("grows['v'] = [5, 1]")
    talk.settled()
    assert labels(talk, "grows", sort="-v") == ["0", "1"]


def test_ten_million_rows_come_by_the_page(talk: Talk) -> None:
    talk.run(
        "n = 10_000_000\nlarge = pandas.DataFrame({'i': numpy.arange(n), "
        "'v': numpy.random.default_rng(0).random(n)})",
        timeout=60,
    )
    talk.settled()
    assert rows(talk, "large", offset=9_999_998)["rows"][1][0] == "9999999"
    found = rows(talk, "large", sort="-v", filter="v > 0.9999", limit=5)
    values = [float(row[1]) for row in found["rows"]]
    assert values == sorted(values, reverse=True)
    assert 0 < found["matching"] < 10_000
    assert rows(talk, "large", sort="-i", limit=1)["rows"][0][0] == "9999999"
    talk.run("del large, n")
    talk.settled()


def test_wide_and_long_values_stay_within_an_answer(talk: Talk) -> None:
    talk.run("wide = pandas.DataFrame([['x' * 10_000] * 300] * 500)")
    talk.settled()
    found = rows(talk, "wide", limit=500)
    assert (len(found["columns"]), found["columns_total"]) == (100, 300)
    assert 0 < len(found["rows"]) < 500
    assert len(found["rows"][0][0]) == 200
    assert len(rows(talk, "wide", column=250, limit=1)["columns"]) == 50


# --- other kernels -----------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["bwrap", "landlock"])
def test_in_a_cage(rig: Rig, level: SandboxLevel) -> None:
    need(level)
    talk = rig.conversation(sandbox=level)
    talk.run("import pandas; it = pandas.DataFrame({'a': [2, 1]})")
    talk.settled()
    assert variable(talk, "it")["shape"] == [2, 1]
    assert labels(talk, "it", sort="a") == ["1", "0"]
    rig.client.stop(talk.id)


@pytest.mark.parametrize(
    ("argv", "state"),
    [
        (["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "idle"),
        (["sh", "-c", 'exec "$@" -f {connection_file}', "sh", sys.executable, "-m",
          "ipykernel_launcher"], "unsupported"),
    ],
)  # fmt: skip
def test_a_kernelspec_answers_where_it_is_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], state: str
) -> None:
    folder = tmp_path / "kernels" / "mine"
    folder.mkdir(parents=True)
    spec = {"argv": argv, "display_name": "Mine", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with running_rig() as rig:
        talk = rig.conversation(kernel_name="mine")
        talk.run("it = 1")
        talk.settled()
        assert ask(talk)["state"] == state


# --- what takes too long -----------------------------------------------------------------------


class Endless(dict[str, Any]):
    """A namespace whose reading never ends, until it is given up."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.left = threading.Event(), threading.Event()

    def items(self) -> Any:
        self.read.set()
        try:
            while True:
                pass
        finally:
            self.left.set()


class Shell:
    """As much of IPython's as is asked about."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.user_ns = names
        self.user_ns_hidden: dict[str, Any] = {}


def answers(questions: Questions) -> dict[str, Any]:
    """What is answered to the next question."""
    came: queue.Queue[dict[str, Any]] = queue.Queue()
    questions.ask({"what": "variables"}, came.put)
    return came.get(timeout=10)


def test_what_is_given_up_ends_and_the_next_question_is_answered() -> None:
    shell, endless = Shell({}), Endless()
    questions = Questions(shell)
    shell.user_ns = endless
    told: list[dict[str, Any]] = []
    questions.ask({"what": "variables"}, told.append)
    assert endless.read.wait(10)
    questions.abandon()
    assert endless.left.wait(10)
    shell.user_ns = {"x": 1}
    assert [one["name"] for one in answers(questions)["content"]["variables"]] == ["x"]
    assert told == []
    questions.abandon()


class SilentKernel:
    """Takes questions and answers none."""

    answers = True

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def question(self, content: dict[str, Any]) -> str:
        self.asked.append(content)
        return f"r{len(self.asked)}"


def test_a_kernel_that_does_not_answer_is_given_up_in_time() -> None:
    async def scenario() -> tuple[list[QueryAnswered], SilentKernel]:
        told: list[QueryAnswered] = []
        over = asyncio.Event()

        def send(answer: QueryAnswered) -> None:
            told.append(answer)
            if len(told) == 3:
                over.set()

        kernel, queries = SilentKernel(), Queries(send, list_s=0.1, most=2)
        for name in ("q1", "q2", "q3"):
            query = Query(query_id=name, what="variables")
            queries.ask(kernel, query, busy=False, epoch=1)
        await asyncio.wait_for(over.wait(), 10)
        return told, kernel

    told, kernel = asyncio.run(scenario())
    codes = {one.query_id: one.error.code for one in told if one.error}
    assert codes == {"q3": "busy", "q1": "kernel_error", "q2": "kernel_error"}
    assert [one["what"] for one in kernel.asked] == ["variables", "variables", "stop"]


def test_made_up_answers_are_errors() -> None:
    async def scenario() -> list[QueryAnswered]:
        told: list[QueryAnswered] = []
        kernel, queries = SilentKernel(), Queries(told.append)
        for content in ({"content": 7}, {"error": {"code": 1}}, {}):
            query = Query(query_id="q", what="variables")
            queries.ask(kernel, query, busy=False, epoch=1)
            queries.answered(Answered("nobody's", content))
            queries.answered(Answered(f"r{len(kernel.asked)}", content))
        return told

    assert [one.error and one.error.code for one in asyncio.run(scenario())] == ["kernel_error"] * 3
