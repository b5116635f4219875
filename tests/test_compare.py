"""What counts as the same between two runs, and what does not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gpt_code_ui.compare import Comparison
from gpt_code_ui.noise import Noise
from gpt_code_ui.protocol import (
    CellPart,
    Difference,
    DisplayDataOutput,
    ErrorOutput,
    Output,
    StreamOutput,
    TranscriptOutput,
    Truncation,
)

NOW = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)


def cell(*outputs: Output, **fields: Any) -> CellPart:
    shown = [TranscriptOutput(output=one) for one in outputs]
    return CellPart(
        cell_id="x", code="", origin="person", status="ok", outputs=shown, **fields
    )  # fmt: skip


def out(text: str, name: Any = "stdout") -> StreamOutput:
    return StreamOutput(name=name, text=text)


def show(**data: Any) -> DisplayDataOutput:
    return DisplayDataOutput(data={key.replace("_", "/"): value for key, value in data.items()})


def compare(was: CellPart, now: CellPart) -> Difference | None:
    return Comparison(lambda one, other, kind: False, Noise(NOW)).cells(1, was, now)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("<object at 0x7fe42dba71b0>", "<object at 0x7f00aabbcc10>"),
        ("3f2b8c1e-9d4a-4b6f-8e21-0a1b2c3d4e5f", "00000000-9d4a-4b6f-8e21-0a1b2c3d4e5f"),
        ("2025-01-02 10:11:12.123456", "2026-05-17 12:00:01.5"),
        ("2025-01-02T10:11:12Z", "2026-05-17T11:59:59Z"),
        ("started 09:30:00", "started 12:00:01"),
        ("took 1.23 s", "took 0.9 s"),
        ("CPU times: user 3 ms, sys: 1 ms, total: 4 ms\nWall time: 5.1 µs",
         "CPU times: user 9 ms, sys: 2 ms, total: 11 ms\nWall time: 12 µs"),
        ("12.3 µs ± 45 ns per loop", "13.9 µs ± 110 ns per loop"),
        ("1737021600.5", str(NOW.timestamp() + 60)),
        ("datetime.datetime(2025, 1, 2, 10, 11, 12, 34)", "datetime.datetime(2026, 5, 17, 12, 0)"),
        ("datetime.datetime(2025, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)",
         "datetime.datetime(2026, 5, 17, 12, 0, 1, 7, tzinfo=datetime.timezone.utc)"),
        ("[datetime.date(2025, 1, 2)]", "[datetime.date(2026, 5, 17)]"),
        ("'Thu Jan  2 10:11:12 2025'", "'Sun May 17 12:00:01 2026'"),
        ("Thu Jan  2 10:11:12 UTC 2025", "Sun May 17 12:00:01 UTC 2026"),
        ("Thu, 02 Jan 2025 10:11:12 +0000", "Sun, 17 May 2026 12:00:01 +0000"),
        ("id 139697187318528, <Thread(started 139665051036544)>",
         "id 140576908705408, <Thread(started 140582968429440)>"),
        ("saved to /tmp/tmpabc123/x.csv", "saved to /tmp/tmpzzz999/x.csv"),
        ("/home/me/project/data.csv", "/srv/other/place/data.csv"),
        ("0.30000000000000004", "0.3"),
        ("1.0000001e-8", "1.0000000999e-8"),
        ("a    b\n1  2.0", "a b\n1 2.0000000001"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("0%\r50%\r100%", "100%"),
        ("-0.5 of 1_000", "-0.5 of 1000"),
    ],
)  # fmt: skip
def test_noise_is_passed_over(was: str, now: str) -> None:
    assert compare(cell(out(was)), cell(out(now))) is None


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ("0.3", "0.31", "number"),
        ("total 41", "total 42", "number"),
        ("-5", "5", "number"),
        ("1e5", "1e6", "number"),
        ("one two", "one three", "text"),
        ("a = 1", "a = b", "text"),
        ("born 1990-01-02", "born 1991-01-02", "text"),
        ("until 2030-01-01", "until 2031-01-01", "text"),
        ("datetime.datetime(1990, 1, 2, 3, 4)", "datetime.datetime(1991, 1, 2, 3, 4)", "text"),
        ("Thu Jan  2 10:11:12 2025", "Fri Jan  3 10:11:12 2025", "text"),
        ("140000000000001", "99", "number"),
        ("nan", "1.0", "text"),
        ("one\ntwo", "one", "text"),
        ("/data/a.csv", "/data/b.csv", "text"),
        ("1737021600", "99", "number"),
        ("你好", "再见", "text"),
        ("x1", "x2", "text"),
    ],
)
def test_what_means_something_is_found(was: str, now: str, kind: str) -> None:
    found = compare(cell(out(was)), cell(out(now)))
    assert found is not None
    assert (found.kind, found.cell, found.cell_id, found.output) == (kind, 1, "x", 0)


def test_stderr_may_come_in_any_order_but_not_say_something_else() -> None:
    assert compare(cell(out("a\nb\n", "stderr")), cell(out("b\na\n", "stderr"))) is None
    found = compare(cell(out("a\n", "stderr")), cell(out("c\n", "stderr")))
    assert found is not None and found.kind == "text"


def test_warnings_of_missing_fonts_are_passed_over() -> None:
    font = "findfont: Font family 'Arial' not found.\n"
    assert compare(cell(out(font * 3, "stderr")), cell()) is None
    assert compare(cell(), cell(out(font, "stderr"))) is None
    found = compare(cell(out(f"{font}bad\n", "stderr")), cell())
    assert found is not None and (found.kind, found.expected) == ("missing_output", "bad")
    assert compare(cell(out(font)), cell()) is not None


def test_outputs_too_few_and_too_many() -> None:
    one = show(text_plain="1")
    missing, extra = compare(cell(one, one), cell(one)), compare(cell(one), cell(one, one))
    assert missing is not None and (missing.kind, missing.output) == ("missing_output", 1)
    assert extra is not None and extra.kind == "extra_output"
    gone = compare(cell(out("said")), cell())
    assert gone is not None and gone.kind == "missing_output"
    type_gone = compare(cell(show(text_html="<b>1</b>", text_plain="1")), cell(one))
    assert type_gone is not None and type_gone.kind == "missing_output"


def test_errors_by_name_and_message() -> None:
    def error(name: str, message: str) -> CellPart:
        return cell(ErrorOutput(ename=name, evalue=message, traceback=["line 7"]))

    assert compare(error("E", "at 0x7fe42dba71b0"), error("E", "at 0x7f0011223344")) is None
    for other in (error("F", "m"), error("E", "n"), cell()):
        found = compare(error("E", "m"), other)
        assert found is not None and found.kind == "exception"


def test_markup_by_what_is_seen() -> None:
    was = '<style>#T_a1 {}</style><td id="T_a1_row0" class="x a1">1.50</td>'
    now = '<style>#T_b2 {}</style><td id="T_b2_row0" class="x b2">1.5000000001</td>'
    assert compare(cell(show(text_html=was)), cell(show(text_html=now))) is None
    found = compare(cell(show(text_html=was)), cell(show(text_html=now.replace("1.5", "1.6"))))
    assert found is not None and found.kind == "number"


def test_json_by_value() -> None:
    def plot(uid: str, last: float) -> CellPart:
        return cell(show(application_json={"data": [{"uid": uid, "y": [1, last]}]}))

    assert compare(plot("a", 2.0), plot("b", 2.0000000001)) is None
    found = compare(plot("a", 2.0), plot("b", 3.0))
    assert found is not None and found.kind == "number"


def test_figures_are_asked_about_and_their_names_do_not_count() -> None:
    one = cell(show(image_png="AAAA", text_plain="<Figure size 640x480 with 1 Axes>"))
    same = cell(show(image_png="AAAA", text_plain="<Figure size 640x481 with 1 Axes>"))
    assert compare(one, same) is None
    found = compare(one, cell(show(image_png="BBBB", text_plain="<Figure>")))
    assert found is not None and found.kind == "figure"


def test_of_cut_text_only_the_beginning_is_compared() -> None:
    total = Truncation(bytes_total=10**6, lines_total=10**5)
    was = cell(out("line\n" * 100 + "tail a\n"), truncated=total)
    now = cell(out("line\n" * 120 + "tail b\n"), truncated=total)
    assert compare(was, now) is None
