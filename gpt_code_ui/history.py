"""What the model is told: the conversation as chat messages, and a cell's run as a tool result.

Every call has its result, whatever was stopped or cut, and what the person ran by hand is told at
the time it happened, so that the beginning of a history never changes from turn to turn, unless a
cell is edited.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from gpt_code_ui.news import some
from gpt_code_ui.plain_text import LEFT_OUT, cut, plain, short_traceback
from gpt_code_ui.protocol import (
    AssistantMessage,
    CellPart,
    ChatMessage,
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    FileChanges,
    Output,
    Picture,
    ReasoningPart,
    StreamOutput,
    TextPart,
    ToolCall,
    ToolMessage,
    ToolPart,
    Transcript,
    Turn,
    UserMessage,
)
from gpt_code_ui.told import with_files, with_news

TOOL_NAME = "execute_code"
TEXT_TYPES = ("text/plain", "text/markdown", "text/latex")
SHORTENED = "[shortened: read_output"
CALL_ID = 9
EDITED = "[the person changed this code before it ran]"
# Their text forms say that there is no renderer, which would send a model off on a repair.
CHART = re.compile(r"application/vnd\.(plotly|vega|vegalite)\.v\d+(\+json|\.json)")
FAILED = frozenset({"error", "timeout", "died"})
# What models take as pictures. SVG is text that no endpoint draws.
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
FIGURE_TYPES = ("image/png", "image/jpeg")
MOST_FIGURES = 8
Rich = DisplayDataOutput | ExecuteResultOutput


def model_messages(
    transcript: Transcript, *, output_bytes: int, news: Mapping[str, str] | None = None
) -> list[ChatMessage]:
    """The conversation for the model; each cell's report is held to ``output_bytes``.

    ``news`` has what happened before a turn without the model, by the turn's id.
    """
    news = news or {}
    own_cells = _cells_of_the_person(transcript)
    messages: list[ChatMessage] = []
    for turn in transcript.turns:
        if turn.turn_id is None:
            continue
        while own_cells and (own_cells[0].started_at or "") <= (turn.started_at or ""):
            messages.append(_note(own_cells.pop(0), output_bytes))
        if turn.imported is not None:
            messages.append(_imported(turn, turn.imported, output_bytes))
            continue
        question = with_news(_prompt(turn), news.get(turn.turn_id))
        messages.append(UserMessage(text=question, pictures=_attached(turn)))
        messages += _answer(turn, output_bytes)
    messages += [_note(cell, output_bytes) for cell in own_cells]
    return messages


def cell_report(cell: CellPart, *, output_bytes: int) -> str:
    """What became of a cell, as the model reads it: outputs, error, files.

    Text is plain and cut to about ``output_bytes``, of which an error takes half at most.
    """
    error = "\n".join(
        cut(short_traceback(o.ename, o.evalue, o.traceback), output_bytes // 2)
        for o in _outputs(cell)
        if isinstance(o, ErrorOutput)
    )
    shown = "".join(_shown(o) for o in _outputs(cell) if not isinstance(o, ErrorOutput))
    lines = [cut(shown.strip("\n"), max(output_bytes - len(error.encode()), 0)), error]
    if cell.truncated:
        total = cell.truncated
        lines.append(f"[printed in all: {total.bytes_total:,} bytes, {total.lines_total:,} lines]")
    lines += [
        _files(cell.files), _ending(cell), _unreached(cell), EDITED if cell.edited else "",
    ]  # fmt: skip
    return "\n".join(line for line in lines if line) or "[ran without output]"


def told_report(cell: CellPart, *, output_bytes: int) -> str:
    """The report of a cell, with the way to the whole of what is shortened."""
    report = cell_report(cell, output_bytes=output_bytes)
    if not cell.truncated and LEFT_OUT not in report:
        return report
    name = cell.cell_id if cell.execution_count is None else cell.execution_count
    return f"{report}\n{SHORTENED}(cell={name}) reads all of it]"


def _object(arguments: str) -> str:
    """Arguments as a JSON object: templates of several servers fail on anything else."""
    try:
        valid = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        valid = False
    return arguments if valid else json.dumps({"malformed": arguments}, ensure_ascii=False)


def _cells_of_the_person(transcript: Transcript) -> list[CellPart]:
    """In the order in which they ran, wherever they stand."""
    cells = [
        part
        for turn in transcript.turns
        if turn.imported is None
        for part in turn.parts
        if isinstance(part, CellPart) and part.origin == "person"
    ]
    return sorted(cells, key=lambda cell: cell.started_at or "")


def _prompt(turn: Turn) -> str:
    return with_files(turn.prompt, turn.attachments, turn.told or ())


def _note(cell: CellPart, output_bytes: int) -> UserMessage:
    report = told_report(cell, output_bytes=output_bytes)
    fence = "`" * max(3, _longest_run(cell.code, "`") + 1)
    block = f"{fence}{cell.language or 'python'}\n{cell.code}\n{fence}"
    text = f"I ran this myself:\n{block}\nIt printed:\n{report}"
    return UserMessage(text=text, pictures=figures(cell))


def figures(cell: CellPart) -> list[Picture]:
    """The last figures that a cell drew, each by the name under which it can be asked about."""
    base = f"cell:{cell.cell_id if cell.execution_count is None else cell.execution_count}"
    drawn = [
        (kind, "".join(data[kind]).replace("\n", ""))
        for data in (o.data for o in _outputs(cell) if isinstance(o, Rich))
        for kind in FIGURE_TYPES
        if isinstance(data.get(kind), str | list)
    ]
    named = (base if at == 0 else f"{base}#{at + 1}" for at in range(len(drawn)))
    every = [
        Picture(name=name, media_type=kind, data=data)
        for name, (kind, data) in zip(named, drawn, strict=True)
    ]
    return every[-MOST_FIGURES:]


def shown_figures(cells: Sequence[CellPart]) -> list[ChatMessage]:
    """A message with what the cells of one answer drew; it follows all results of that answer.

    Of its own, because few servers take pictures in the result of a tool.
    """
    drawn = [(cell, figures(cell)) for cell in cells]
    pictures = [one for _, found in drawn for one in found]
    if not pictures:
        return []
    names = ", ".join(found[0].name.partition("#")[0] for _, found in drawn if found)
    text = f"[GPT-Code UI: what your code drew, {names}]"
    return [UserMessage(text=text, pictures=pictures, figures=True)]


def _attached(turn: Turn) -> list[Picture]:
    paths = dict.fromkeys(one.path for one in turn.attachments)
    return [Picture(name=path) for path in paths if path.lower().endswith(PICTURE_ENDINGS)]


def _imported(turn: Turn, name: str, output_bytes: int) -> UserMessage:
    """A notebook of somebody's, as it stood: text, code and what was printed then."""
    told = [f"I opened the notebook {name}. These are its cells; nothing of it has run here."]
    for part in turn.parts:
        if isinstance(part, TextPart):
            told.append(part.text)
        elif isinstance(part, CellPart):
            fence = "`" * max(3, _longest_run(part.code, "`") + 1)
            report = cell_report(part, output_bytes=output_bytes)
            told.append(f"{fence}\n{part.code}\n{fence}\nIt had printed:\n{report}")
    return UserMessage(text="\n\n".join(told))


def _longest_run(text: str, character: str) -> int:
    longest = run = 0
    for each in text:
        run = run + 1 if each == character else 0
        longest = max(longest, run)
    return longest


def _answer(turn: Turn, output_bytes: int) -> Iterator[ChatMessage]:
    """One message a call: code that was written after a result is not told as if before it."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in turn.parts:
        match part:
            case TextPart():
                texts.append(part.text)
            case CellPart(origin="model"):
                arguments = json.dumps({"code": part.code}, ensure_ascii=False)
                call = ToolCall(id=_call_id(part.cell_id), name=TOOL_NAME, arguments=arguments)
                yield AssistantMessage(
                    text=_joined(texts), tool_calls=[call], reasoning=_joined(thoughts)
                )
                report = told_report(part, output_bytes=output_bytes)
                yield ToolMessage(tool_call_id=call.id, text=report, failed=part.status in FAILED)
                yield from shown_figures([part])
                texts, thoughts = [], []
            case ReasoningPart():
                thoughts.append(part.text)
            case ToolPart():
                id, arguments = _call_id(part.call_id), _object(part.arguments)
                call = ToolCall(id=id, name=part.name, arguments=arguments)
                yield AssistantMessage(
                    text=_joined(texts), tool_calls=[call], reasoning=_joined(thoughts)
                )
                text = part.content or "[this call was never finished]"
                failed = part.status == "error"
                yield ToolMessage(tool_call_id=call.id, text=text, failed=failed)
                texts, thoughts = [], []
            case CellPart():
                pass
            case _:
                assert_never(part)
    if text := _joined(texts):
        yield AssistantMessage(text=text, reasoning=_joined(thoughts))


def _call_id(id: str) -> str:
    """Nine letters and digits: Mistral takes no other id, and everybody else takes any."""
    return id[:CALL_ID]


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(text for text in texts if text)


def _outputs(cell: CellPart) -> list[Output]:
    return [shown.output for shown in cell.outputs]


def _shown(output: Output) -> str:
    """An output as text, ending its line."""
    match output:
        case StreamOutput():
            text = plain(output.text)
        case DisplayDataOutput() | ExecuteResultOutput():
            text = _rich(output.data)
        case ErrorOutput():
            return ""
        case _:
            assert_never(output)
    return text if text.endswith("\n") or not text else f"{text}\n"


def _rich(data: dict[str, object]) -> str:
    """The best text of a rich output; a figure is only named, for the person sees it."""
    pictures = [kind for kind in data if kind.startswith("image/")]
    if pictures:
        return f"[{pictures[0]} figure shown to the person]"
    chart = next(filter(None, map(CHART.fullmatch, data)), None)
    if chart is not None:
        return f"[an interactive {chart[1]} chart shown to the person]"
    for kind in TEXT_TYPES:
        text = data.get(kind)
        if isinstance(text, list):  # nbformat allows lines
            text = "".join(map(str, text))
        if isinstance(text, str) and text.strip():
            return plain(text)
    if "application/json" in data:
        return json.dumps(data["application/json"], ensure_ascii=False, default=str)
    return f"[{', '.join(data)} shown to the person]" if data else ""


def _files(files: FileChanges) -> str:
    changes = (("added", files.added), ("changed", files.changed), ("removed", files.removed))
    told = [f"{what}: {some(paths)}" for what, paths in changes if paths]
    return f"[files {'; '.join(told)}]" if told else ""


def _unreached(cell: CellPart) -> str:
    hosts = cell.refused_hosts
    if not hosts:
        return ""
    return f"[the network is off, so {some(hosts)} could not be reached; the person can allow it]"


def _ending(cell: CellPart) -> str:
    reason = f": {cell.reason}" if cell.reason else ""
    match cell.status:
        case "ok":
            return ""
        case "error":
            told = any(isinstance(output, ErrorOutput) for output in _outputs(cell))
            return "" if told else f"[the code failed{reason}]"
        case "interrupted":
            return f"[interrupted before it was done{reason}]"
        case "timeout":
            return f"[stopped: it ran for too long{reason}]"
        case "died":
            return f"[the kernel died while this ran, all variables are gone{reason}]"
        case "not_run":
            return f"[this code was not run{reason}]"
        case "writing":
            return "[this code was never finished, and was not run]"
        case "waiting":
            return "[the person is asked whether this may run]"
        case "running":
            return "[still running]"
        case _:
            assert_never(cell.status)
