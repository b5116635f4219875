"""The code string is read the same however its JSON is cut."""

import itertools
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt_code_ui.json_stream import StringField, SurrogateJoiner, whole_characters


def read(pieces: list[str], name: str = "code") -> str:
    field = StringField(name)
    return "".join(field.feed(piece) for piece in pieces)


def chars(text: str) -> list[str]:
    return list(text)


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize(
    "code",
    [
        "print('hi')",
        "",
        'a = "x\\n"\n\tb = {"}": "{"}',
        "print('北京 😀 é \u2028')",
        "# \x00 \x1f \b\f\r",
    ],
)
def test_every_cut_gives_the_code(code: str, ensure_ascii: bool) -> None:
    document = json.dumps({"code": code}, ensure_ascii=ensure_ascii)
    assert read(chars(document)) == code
    for at in range(len(document)):
        assert read([document[:at], document[at:]]) == code


def test_grows_piece_by_piece() -> None:
    field = StringField("code")
    pieces = ['{"co', 'de": "a', "\\", "nb\\ud83", "d", "\\ude00", 'c"', "}"]
    assert [field.feed(piece) for piece in pieces] == ["", "a", "", "\nb", "", "😀", "c", ""]
    assert field.started
    assert field.closed


@pytest.mark.parametrize(
    "document",
    [
        '{"n": 1.5e3, "code": "x"}',
        '{"title": "a \\" , \\"code\\": b", "code": "x"}',
        '{"list": [1, {"code": "no"}, "]}"], "code": "x", "after": {"code": "no"}}',
        '{"flag": null,"code":"x"}',
        '  {\n "\\u0063ode" :\t"x" }',
        '{"code": "x", "code": "y"}',
        '{"code": "x"} trailing "code": "y"',
    ],
)
def test_finds_the_field_among_others(document: str) -> None:
    assert read([document]) == "x"
    assert read(chars(document)) == "x"


@pytest.mark.parametrize(
    ("document", "value"),
    [
        ("", ""),
        ("null", ""),
        ("[]", ""),
        ("print(1)", ""),
        ('{"code": 5}', ""),
        ('{"code": ["x"]}', ""),
        ('{"code" "x"}', ""),
        ('{"code": "cut \\u00', "cut "),
        ('{"code": "a\\qb\\uzzzzc"}', "a\\qb\\uzzzzc"),
        ('{"code": "a\\ud800b\\udc00"}', "a\ufffdb\ufffd"),
        ('{"code": "a\\ud800"}', "a\ufffd"),
        ("}}]] {", ""),
    ],
)
def test_broken_documents_do_not_raise(document: str, value: str) -> None:
    assert read([document]) == value
    assert read(chars(document)) == value


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]


@settings(max_examples=80, deadline=None)
@given(
    fields=st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())),
    code=st.text(),
    cuts=st.lists(st.integers(min_value=0)),
)
def test_reads_what_json_reads(fields: dict[str, object], code: str, cuts: list[int]) -> None:
    document = json.dumps({**fields, "code": code})
    assert read(pieces_of(document, cuts)) == json.loads(document)["code"]


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet='{}[]":,\\u0d8code \n'))
def test_never_raises(document: str) -> None:
    assert read([document]) == read(chars(document))


def test_takes_a_megabyte_in_linear_time() -> None:
    code = "x = '😀'\n" * 60_000
    document = json.dumps({"code": code})
    began = time.process_time()
    assert read([document[at : at + 4000] for at in range(0, len(document), 4000)]) == code
    assert time.process_time() - began < 10


def test_surrogates_are_joined_or_replaced() -> None:
    joiner = SurrogateJoiner()
    fed = [joiner.feed(piece) for piece in ["a\ud83d", "\ude00b", "\ude00", "c", "d\ud83d", "e"]]
    assert [*fed, joiner.flush()] == ["a", "😀b", "\ufffd", "c", "d", "\ufffde", ""]
    assert joiner.feed("x\ud83d") + joiner.flush() == "x\ufffd"
    assert whole_characters("\ud83d\ude00 \ud83d") == "😀 \ufffd"
