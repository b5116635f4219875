"""Every value on a wire: frozen, tagged by ``type``, unknown fields refused.

One word per idea: conversation, turn, part, cell, kernel, output, event, command, workspace.
An output is exactly an nbformat v4 output, so a notebook is a fold of the log and not a
conversion. ``frontend/src/protocol/generated.ts`` is written from this file (scripts/gen_types.py).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class Value(BaseModel):
    """The base of all values: immutable, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ErrorBody(Value):
    """The inside of ``{"error": ...}``, the one error shape of every endpoint and event."""

    code: str
    message: str
    hint: str | None = None
    retryable: bool = False


# --- outputs: nbformat v4, field for field -----------------------------------------------------


class StreamOutput(Value):
    """Text printed to stdout or stderr."""

    output_type: Literal["stream"] = "stream"
    name: Literal["stdout", "stderr"]
    text: str


class DisplayDataOutput(Value):
    """A rich display. ``data`` maps MIME type to content; binary content is base64."""

    output_type: Literal["display_data"] = "display_data"
    data: dict[str, Any]
    metadata: dict[str, Any] = Field(default_factory=dict)


class ExecuteResultOutput(Value):
    """The value of a cell's last expression."""

    output_type: Literal["execute_result"] = "execute_result"
    data: dict[str, Any]
    metadata: dict[str, Any] = Field(default_factory=dict)
    execution_count: int | None = None


class ErrorOutput(Value):
    """An exception; ``traceback`` lines carry ANSI colours."""

    output_type: Literal["error"] = "error"
    ename: str
    evalue: str
    traceback: list[str]


Output = Annotated[
    StreamOutput | DisplayDataOutput | ExecuteResultOutput | ErrorOutput,
    Field(discriminator="output_type"),
]


class Truncation(Value):
    """How much a cell printed in all, where only a part travels inline."""

    bytes_total: int
    lines_total: int


class FileChanges(Value):
    """Workspace paths, relative and with ``/``, by what happened to them."""

    added: list[str] = Field(default_factory=list)
    changed: list[str] = Field(default_factory=list)
    removed: list[str] = Field(default_factory=list)


class Attachment(Value):
    """A workspace file the person pointed at in a prompt."""

    path: str


class ProfileColumn(Value):
    """A column of a file. ``odd``: how many values are not of its type."""

    name: str
    type: str
    missing: int | None = None
    odd: int | None = None
    examples: list[str] = Field(default_factory=list)
    min: str | None = None
    max: str | None = None


class ProfilePart(Value):
    """A sheet, a table, a key or a member of an archive."""

    name: str
    rows: int | None = None
    width: int | None = None
    columns: list[str] = Field(default_factory=list)


class Profile(Value):
    """What is in a file, as the reader process found it.

    ``sample`` has the first rows, ``around`` the lines above and below them, ``text`` a beginning;
    these and a column's examples and extremes are all that quotes the file. ``broken`` says why
    the file could not be read.
    """

    kind: str
    size: int
    rows: int | None = None
    rows_estimated: bool = False
    width: int | None = None
    columns: list[ProfileColumn] = Field(default_factory=list)
    sample: list[list[str]] = Field(default_factory=list)
    facts: dict[str, str] = Field(default_factory=dict)
    parts: list[ProfilePart] = Field(default_factory=list)
    text: str | None = None
    around: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    sampled: bool = False
    broken: str | None = None


class InputFile(Value):
    """A file that cells were given, by its content."""

    path: str
    size: int
    sha256: str


class ParentLink(Value):
    """Where a branch came from: the conversation, and the turn it was taken before.

    ``turns``: how many questions were asked up to there. The next one stands where that turn does,
    and a branch taken before it names the same turn.
    """

    conversation_id: str
    before_turn: str
    turns: int


DifferenceKind = Literal[
    "number", "text", "figure", "exception", "missing_output", "extra_output", "changed_input"
]


class Difference(Value):
    """Where a replay first differs. ``cell`` counts from 1, ``output`` from 0.

    ``expected`` and ``found`` are short texts, cut around what differs.
    """

    kind: DifferenceKind
    cell: int
    cell_id: str | None = None
    output: int | None = None
    expected: str = ""
    found: str = ""


class ToldFile(Value):
    """A file as it was when the model was told of it, and in which words."""

    path: str
    size: int
    modified: float
    text: str


# --- events ------------------------------------------------------------------------------------

KernelState = Literal["starting", "idle", "busy", "restarting", "dead", "parked"]
TurnStatus = Literal["completed", "stopped", "limit", "failed"]
CellStatus = Literal["ok", "error", "interrupted", "timeout", "died", "not_run"]
CellOrigin = Literal["model", "person"]
SandboxLevel = Literal["bwrap", "landlock", "none"]
# proof: in a fresh kernel, compared; restore and branch: a kernel gets its variables back.
ReplayPurpose = Literal["proof", "restore", "branch"]
ReplayStatus = Literal["reproduces", "differs", "restored", "stopped", "failed"]


class KernelStatus(Value):
    """The kernel's state. ``parked``: not running, starts when it is needed.

    ``used``: code has run in it, so it has variables.
    ``missing``: the package without which this interpreter can be no kernel.
    """

    type: Literal["kernel_status"] = "kernel_status"
    kernel_id: str | None = None
    state: KernelState
    reason: str | None = None
    hint: str | None = None
    missing: str | None = None
    sandbox: SandboxLevel = "none"
    network: bool = True
    used: bool | None = None


class TurnStarted(Value):
    """The person asked. ``imported``: nobody did, these are the cells of the notebook so named."""

    type: Literal["turn_started"] = "turn_started"
    turn_id: str
    prompt: str
    model: str
    attachments: list[Attachment] = Field(default_factory=list)
    imported: str | None = None


class TurnFinished(Value):
    """The turn is over; every part of it was closed before."""

    type: Literal["turn_finished"] = "turn_finished"
    turn_id: str
    status: TurnStatus
    error: ErrorBody | None = None


class TextDelta(Value):
    """Model text on its way; ``offset`` counts Unicode code points. Not stored."""

    type: Literal["text_delta"] = "text_delta"
    part_id: str
    offset: int
    text: str


class TextDone(Value):
    """The whole of a text part. ``kept``: what else its cell had in an imported notebook."""

    type: Literal["text_done"] = "text_done"
    part_id: str
    turn_id: str
    text: str
    kept: dict[str, Any] | None = None


class ReasoningDelta(Value):
    """Model thinking on its way. Not stored."""

    type: Literal["reasoning_delta"] = "reasoning_delta"
    part_id: str
    offset: int
    text: str


class ReasoningDone(Value):
    """The whole of a reasoning part."""

    type: Literal["reasoning_done"] = "reasoning_done"
    part_id: str
    turn_id: str
    text: str


class CodeDelta(Value):
    """Code on its way into a cell that has not started. Not stored."""

    type: Literal["code_delta"] = "code_delta"
    cell_id: str
    offset: int
    text: str


class CellStarted(Value):
    """The cell reached the kernel, with its whole code; again, when it was edited and runs anew.

    ``repaired``: the model's call was not as it should be, and was understood. ``kept``: what else
    the cell had in an imported notebook. ``language``: what it is written in, where not Python.
    """

    type: Literal["cell_started"] = "cell_started"
    cell_id: str
    turn_id: str | None = None
    code: str
    origin: CellOrigin
    after_cell: str | None = None
    repaired: bool | None = None
    kept: dict[str, Any] | None = None
    language: str | None = None


class CellOutput(Value):
    """One more output of a cell; consecutive streams of one name append."""

    type: Literal["cell_output"] = "cell_output"
    cell_id: str
    output: Output
    display_id: str | None = None
    truncated: Truncation | None = None


class CellOutputUpdated(Value):
    """Every output of the conversation with this ``display_id`` shows this from now on."""

    type: Literal["cell_output_updated"] = "cell_output_updated"
    display_id: str
    data: dict[str, Any]
    metadata: dict[str, Any] = Field(default_factory=dict)


class CellOutputsCleared(Value):
    """The cell's outputs go: at once, or with ``wait`` when the next one comes."""

    type: Literal["cell_outputs_cleared"] = "cell_outputs_cleared"
    cell_id: str
    wait: bool = False


class CellFinished(Value):
    """Execute reply and iopub idle were both seen, or the cell cannot go on.

    ``not_kept``: files it changed or removed whose earlier content was not kept.
    ``refused_hosts``: what it asked for in vain, because the network was off.
    """

    type: Literal["cell_finished"] = "cell_finished"
    cell_id: str
    status: CellStatus
    execution_count: int | None = None
    ms: int = 0
    reason: str | None = None
    files: FileChanges = Field(default_factory=FileChanges)
    not_kept: list[str] | None = None
    refused_hosts: list[str] | None = None


class CellDeleted(Value):
    """The person took a cell away; what it did in the kernel and on the disk stays."""

    type: Literal["cell_deleted"] = "cell_deleted"
    cell_id: str


class InputRequested(Value):
    """Code called ``input()`` or ``getpass()``."""

    type: Literal["input_requested"] = "input_requested"
    cell_id: str
    prompt: str
    password: bool = False


class InputReplied(Value):
    """The person answered; the text itself is not kept."""

    type: Literal["input_replied"] = "input_replied"
    cell_id: str


class ToolStarted(Value):
    """The model called another tool than ``execute_code``; ``arguments`` is its JSON."""

    type: Literal["tool_started"] = "tool_started"
    call_id: str
    turn_id: str
    server: str | None = None
    name: str
    arguments: str


class Reason(Value):
    """Why something is asked about before it runs; ``line`` is a line of the code, from 1.

    ``kind`` is what "allow this" remembers, ``what`` the piece of code it is about.
    """

    line: int
    text: str
    kind: str | None = None
    what: str | None = None


class ApprovalRequested(Value):
    """A cell or a call of a server's tool waits for the person; ``cell_id`` is the call's id then.

    ``code`` is the whole code, or the call's arguments. ``tool``: the name of the tool.
    """

    type: Literal["approval_requested"] = "approval_requested"
    cell_id: str
    turn_id: str
    code: str
    reasons: list[Reason]
    tool: str | None = None
    server: str | None = None


class ApprovalResolved(Value):
    """The person decided. ``edited``: other code runs than was asked about. ``remember``: what
    was asked about, by kind, is not asked about again in this conversation."""

    type: Literal["approval_resolved"] = "approval_resolved"
    cell_id: str
    run: bool
    edited: bool = False
    remember: bool = False


class ToolFinished(Value):
    """What the model got for the call, as text."""

    type: Literal["tool_finished"] = "tool_finished"
    call_id: str
    status: Literal["ok", "error"]
    content: str


class ModelRequestSent(Value):
    """A request left for the model; its body is kept and can be looked at.

    ``unseen``: how many pictures were left out of it because the model cannot see.
    """

    type: Literal["model_request"] = "model_request"
    turn_id: str
    request_id: str
    url: str
    bytes: int
    sha256: str
    unseen: int | None = None


class Usage(Value):
    """Tokens as the endpoint counted them, summed over the turn's requests so far.

    ``context_tokens``: the last request with its answer, which is what fills the window.
    """

    type: Literal["usage"] = "usage"
    turn_id: str
    input_tokens: int
    output_tokens: int
    context_tokens: int
    context_window: int | None = None
    cost: float | None = None


class FilesChanged(Value):
    """Files came, changed or went outside a cell: an upload, a deletion."""

    type: Literal["files_changed"] = "files_changed"
    files: FileChanges


class FilesTold(Value):
    """What the model is told of files in this turn, stored so that a history never changes."""

    type: Literal["files_told"] = "files_told"
    turn_id: str
    files: list[ToldFile]


class NetworkHost(Value):
    """What code of a conversation did with a host. ``refused``: requests that were not forwarded.

    ``sent`` and ``received`` are bytes; the host ``*`` stands for all beyond the first 200.
    """

    host: str
    requests: int = 0
    refused: int = 0
    sent: int = 0
    received: int = 0


class NetworkUsed(Value):
    """What was added for each host since this was last said; at most one a second."""

    type: Literal["network_used"] = "network_used"
    hosts: list[NetworkHost]


class ConversationChanged(Value):
    """What is set changed; what is absent stayed. ``rules``: house rules, empty for none.

    ``allowed``: what is no longer asked about, by the kinds of reasons.
    ``notebook``: the workspace file that is kept up to date as a notebook, empty for none;
    ``kept``: the metadata of the notebook that this was imported from.
    ``parent`` is told once, when a branch begins.
    ``network``: whether code may reach the network.
    ``kernel_name``: the kernelspec that was chosen, and ``python``: the interpreter; empty for
    none. ``language``: what that kernel runs.
    """

    type: Literal["conversation_changed"] = "conversation_changed"
    title: str | None = None
    model: str | None = None
    pinned: bool | None = None
    deleted: bool | None = None
    rules: str | None = None
    allowed: list[str] | None = None
    notebook: str | None = None
    kept: dict[str, Any] | None = None
    parent: ParentLink | None = None
    network: bool | None = None
    kernel_name: str | None = None
    python: str | None = None
    language: str | None = None


class ReplayProgress(Value):
    """Cells run once more, for a proof or to bring variables back: ``done`` of ``total`` have."""

    type: Literal["replay_progress"] = "replay_progress"
    replay_id: str
    purpose: ReplayPurpose
    done: int
    total: int


class ReplayFinished(Value):
    """How a replay ended. A proof ``reproduces`` or ``differs``; ``reason`` says why it failed.

    ``skipped``: cells that were once interrupted or lost with their kernel are not run again.
    ``packages``: versions of what was imported; ``inputs``: the files that cells were given.
    """

    type: Literal["replay_finished"] = "replay_finished"
    replay_id: str
    purpose: ReplayPurpose
    status: ReplayStatus
    cells: int
    ms: int = 0
    skipped: int | None = None
    difference: Difference | None = None
    reason: str | None = None
    python: str | None = None
    packages: dict[str, str] | None = None
    inputs: list[InputFile] | None = None


Event = Annotated[
    KernelStatus
    | TurnStarted
    | TurnFinished
    | TextDelta
    | TextDone
    | ReasoningDelta
    | ReasoningDone
    | CodeDelta
    | CellStarted
    | CellOutput
    | CellOutputUpdated
    | CellOutputsCleared
    | CellFinished
    | CellDeleted
    | InputRequested
    | InputReplied
    | ToolStarted
    | ToolFinished
    | ApprovalRequested
    | ApprovalResolved
    | ModelRequestSent
    | Usage
    | FilesChanged
    | FilesTold
    | NetworkUsed
    | ConversationChanged
    | ReplayProgress
    | ReplayFinished,
    Field(discriminator="type"),
]
Delta = TextDelta | ReasoningDelta | CodeDelta
DELTA_TYPES = frozenset({"text_delta", "reasoning_delta", "code_delta"})
# What moves a conversation up the list: something happened in it, not merely to it.
ACTIVITY_TYPES = frozenset(
    {"turn_started", "turn_finished", "cell_started", "cell_finished", "files_changed"}
)
event_adapter: TypeAdapter[Event] = TypeAdapter(Event)


class Published(Value):
    """An event as clients get it. Deltas are for the screen and have no ``seq``."""

    seq: int | None = None
    conversation_id: str
    at: str
    event: Event


# --- commands to the kernel manager, and what it says ------------------------------------------


class KeepVersions(Value):
    """Where versions of files are kept, and the bytes that may be: of one file, in all."""

    dir: str
    file_bytes: int
    total_bytes: int
    in_place: bool = False


class StartKernel(Value):
    """Start the conversation's kernel unless one lives. Paths are absolute.

    ``sandbox``: its cage; ``ask`` where there is none and the person has not agreed to that.
    ``versions`` says where, and how much, is kept of files before cells change them.
    ``network``: whether it may reach the network; ``packages``: the folder where what it installs
    goes.
    ``language``: what it runs, where that is not Python.
    """

    type: Literal["start_kernel"] = "start_kernel"
    workspace: str
    python: str
    kernel_name: str | None = None
    output_dir: str
    sandbox: SandboxLevel | Literal["ask"] = "none"
    versions: KeepVersions | None = None
    network: bool = False
    packages: str | None = None
    language: str | None = None


class Execute(Value):
    """Run a cell; it waits for the cells before it and for a kernel that starts.

    With ``answer_to`` it runs for the product itself: its events go out under that name.
    ``installs``: while it runs, what serves packages can be reached.
    """

    type: Literal["execute"] = "execute"
    cell_id: str
    code: str
    origin: CellOrigin
    turn_id: str | None = None
    after_cell: str | None = None
    repaired: bool | None = None
    answer_to: str | None = None
    installs: bool = False


class InterruptKernel(Value):
    """Interrupt what runs and drop what waits; overtakes every execute."""

    type: Literal["interrupt_kernel"] = "interrupt_kernel"


class RestartKernel(Value):
    """End the kernel with everything it started, then start a fresh one."""

    type: Literal["restart_kernel"] = "restart_kernel"


class StopKernel(Value):
    """End the kernel with everything it started."""

    type: Literal["stop_kernel"] = "stop_kernel"


class InputReply(Value):
    """The person's answer to ``input_requested``."""

    type: Literal["input_reply"] = "input_reply"
    cell_id: str
    text: str


class SetNetwork(Value):
    """Let code reach the network from now on, or no longer; the kernel stays."""

    type: Literal["set_network"] = "set_network"
    network: bool


class Query(Value):
    """Ask what variables hold, or for rows of one; answered at once while nothing runs.

    ``sort``: a column's name, ``-name`` for downwards. ``filter``: conditions, or a text that any
    column has. ``column``: the first column that is wanted of a wide table.
    """

    type: Literal["query"] = "query"
    query_id: str
    what: Literal["variables", "rows"]
    name: str | None = None
    offset: int = 0
    limit: int = 100
    column: int = 0
    sort: str | None = None
    filter: str | None = None


Command = Annotated[
    StartKernel
    | Execute
    | InterruptKernel
    | RestartKernel
    | StopKernel
    | InputReply
    | SetNetwork
    | Query,
    Field(discriminator="type"),
]


class QueryAnswered(Value):
    """What came of a query, to whoever asked: no event, it is neither stored nor published."""

    type: Literal["query_answered"] = "query_answered"
    query_id: str
    content: dict[str, Any] | None = None
    error: ErrorBody | None = None


class CommandMessage(Value):
    """Web process to kernel manager, over the bus."""

    v: Literal[1] = 1
    conversation_id: str
    command: Command


class EventMessage(Value):
    """Kernel manager to web process, over the bus."""

    v: Literal[1] = 1
    conversation_id: str
    event: Event | QueryAnswered


class CageOptions(Value):
    """What all kernels of a manager may see and use. Paths are absolute, sizes in bytes.

    ``hidden``: folders and files of ours that no code may see. ``memory_bytes``,
    ``workspace_bytes`` (by how much the folder may grow), ``workspace_files`` and ``free_bytes``
    (what has to stay free on the disk) are watched while code runs; None or 0 is no limit.
    """

    allow_read: list[str] = Field(default_factory=list)
    hidden: list[str] = Field(default_factory=list)
    processes: int | None = None
    file_bytes: int | None = None
    tmp_bytes: int = 512 * 1024**2
    memory_bytes: int | None = None
    workspace_bytes: int | None = None
    workspace_files: int | None = None
    free_bytes: int = 0


class NetworkOptions(Value):
    """What a network that is switched on leads to. ``private``: also to the private network.

    ``also``: networks that are reached whatever they are, for tests; ``packages``: the hosts that
    serve packages.
    """

    private: bool = False
    also: list[str] = Field(default_factory=list)
    packages: list[str] = Field(default_factory=list)


class LaunchRecord(Value):
    """What the supervisor writes to the manager's stdin as one JSON line.

    ``address`` is a Unix socket's path, or ``host:port``; ``key`` is hex, good for this run only.
    The manager ends itself and every kernel when its stdin closes.
    """

    run_id: str
    address: str
    key: str
    run_dir: str
    output_inline_bytes: int = 256 * 1024
    output_file_bytes: int = 2 * 1024**3
    image_inline_bytes: int = 10 * 1024**2
    log_level: str = "INFO"
    cage: CageOptions = Field(default_factory=CageOptions)
    network: NetworkOptions = Field(default_factory=NetworkOptions)


# --- the model side ----------------------------------------------------------------------------


class ToolCall(Value):
    """A function call as the model wrote it; ``arguments`` is its JSON, perhaps malformed.

    ``extra`` came with the call and goes back with it, unread: Gemini signs its thoughts there.
    """

    id: str
    name: str
    arguments: str
    extra: dict[str, Any] | None = None


class Picture(Value):
    """A picture of a message. ``name``: a workspace path, or ``cell:N`` for a cell's figure.

    ``data`` is base64, as it was drawn or, once ``width`` and ``height`` in pixels are known, as it
    may be sent. Without it the picture lies in the workspace, or ``missing`` says why it is not
    sent.
    """

    name: str
    media_type: str = ""
    data: str | None = None
    width: int | None = None
    height: int | None = None
    missing: str | None = None


class UserMessage(Value):
    """What the person, or the product on their behalf, tells the model.

    ``figures``: it only shows what cells of the round before it drew, and belongs to that round.
    """

    role: Literal["user"] = "user"
    text: str
    pictures: list[Picture] = Field(default_factory=list)
    figures: bool = False


class AssistantMessage(Value):
    """What the model said and called; ``reasoning`` is sent only where an endpoint wants it.

    ``details``: its thinking in the endpoint's own, perhaps sealed, form; goes back as it came.
    """

    role: Literal["assistant"] = "assistant"
    text: str
    tool_calls: list[ToolCall] = Field(default_factory=list)
    reasoning: str = ""
    details: list[dict[str, Any]] = Field(default_factory=list)


class ToolMessage(Value):
    """The result of one tool call; follows the assistant message that has it."""

    role: Literal["tool"] = "tool"
    tool_call_id: str
    text: str
    failed: bool = False


ChatMessage = Annotated[UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class ToolSpec(Value):
    """A function the model may call; ``parameters`` is a JSON schema.

    ``for_blind``: it is told only to a model that is known not to see pictures.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    for_blind: bool = False


class ModelRequest(Value):
    """One request to a model, before any vendor's shape. ``language``: what its code is in."""

    turn_id: str
    model: str
    system: str
    messages: list[ChatMessage]
    tools: list[ToolSpec]
    language: str = "python"


class RequestSent(Value):
    """First chunk of every answer: the body as it left, without keys.

    ``unseen``: how many pictures were left out of it because the model cannot see.
    """

    type: Literal["request_sent"] = "request_sent"
    url: str
    body: str
    unseen: int = 0


class TextChunk(Value):
    """Text of the answer."""

    type: Literal["text"] = "text"
    text: str


class ReasoningChunk(Value):
    """Thinking of the model, where it is shown."""

    type: Literal["reasoning"] = "reasoning"
    text: str
    details: list[dict[str, Any]] | None = None


class RetypeChunk(Value):
    """What this answer has said since its last call was all of the other kind."""

    type: Literal["retype"] = "retype"
    kind: Literal["text", "reasoning"]


class ToolCallChunk(Value):
    """A piece of a tool call; ``index`` tells calls of one answer apart.

    ``printed``: it was found in the text of the answer. ``extra``: see ToolCall.
    """

    type: Literal["tool_call"] = "tool_call"
    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    printed: bool = False
    extra: dict[str, Any] | None = None


class UsageChunk(Value):
    """Token counts, where the endpoint gives them."""

    type: Literal["usage"] = "usage"
    input_tokens: int
    output_tokens: int


class FinishChunk(Value):
    """The answer ended well. Without it the answer was cut and its code is not run."""

    type: Literal["finish"] = "finish"
    reason: Literal["stop", "tool_calls", "length", "content_filter"]


ModelChunk = Annotated[
    RequestSent
    | TextChunk
    | ReasoningChunk
    | RetypeChunk
    | ToolCallChunk
    | UsageChunk
    | FinishChunk,
    Field(discriminator="type"),
]


class ModelInfo(Value):
    """A row of the model dropdown. ``None``: not known yet."""

    id: str
    name: str
    provider: str
    tools: bool | None = None
    vision: bool | None = None
    context_window: int | None = None


# --- the transcript: what a conversation looks like --------------------------------------------


class KernelInfo(Value):
    """The kernel as the transcript knows it."""

    kernel_id: str | None = None
    state: KernelState = "parked"
    reason: str | None = None
    hint: str | None = None
    missing: str | None = None
    sandbox: SandboxLevel = "none"
    network: bool = True
    used: bool | None = None


class TextPart(Value):
    """Model text; ``done`` is false while it is being written."""

    type: Literal["text"] = "text"
    part_id: str
    text: str
    done: bool
    kept: dict[str, Any] | None = None


class ReasoningPart(Value):
    """Model thinking."""

    type: Literal["reasoning"] = "reasoning"
    part_id: str
    text: str
    done: bool


class InputPrompt(Value):
    """A question of the running code that waits for the person."""

    prompt: str
    password: bool = False


class TranscriptOutput(Value):
    """An output with the handle by which it can be updated."""

    output: Output
    display_id: str | None = None


class Approval(Value):
    """What the person is asked before something runs."""

    reasons: list[Reason]


class CellPart(Value):
    """Code with its outputs. ``writing``: the model is at it; ``running``: the kernel is;
    ``waiting``: the person is asked. ``edited``: the person changed the code.
    """

    type: Literal["cell"] = "cell"
    cell_id: str
    code: str
    origin: CellOrigin
    status: Literal["writing", "waiting", "running"] | CellStatus
    outputs: list[TranscriptOutput] = Field(default_factory=list)
    execution_count: int | None = None
    ms: int | None = None
    started_at: str | None = None
    reason: str | None = None
    files: FileChanges = Field(default_factory=FileChanges)
    truncated: Truncation | None = None
    input: InputPrompt | None = None
    clear_pending: bool = False
    repaired: bool | None = None
    approval: Approval | None = None
    not_kept: list[str] | None = None
    edited: bool | None = None
    kept: dict[str, Any] | None = None
    refused_hosts: list[str] | None = None
    language: str | None = None


class ToolPart(Value):
    """A call of another tool than ``execute_code``, and what the model got for it."""

    type: Literal["tool"] = "tool"
    call_id: str
    server: str | None = None
    name: str
    arguments: str
    status: Literal["waiting", "running", "ok", "error"]
    content: str = ""
    approval: Approval | None = None


Part = Annotated[TextPart | ReasoningPart | CellPart | ToolPart, Field(discriminator="type")]


class Turn(Value):
    """A question and its answer. ``turn_id`` is None for cells the person ran by themselves.

    ``unseen``: pictures of the last request that the model could not see, where there were any.
    """

    turn_id: str | None = None
    prompt: str
    model: str | None = None
    attachments: list[Attachment] = Field(default_factory=list)
    parts: list[Part] = Field(default_factory=list)
    status: Literal["running"] | TurnStatus
    error: ErrorBody | None = None
    started_at: str | None = None
    usage: Usage | None = None
    told: list[ToldFile] | None = None
    unseen: int | None = None
    imported: str | None = None


class Proof(Value):
    """The last proof of a conversation. ``stale``: cells ran or went since."""

    at: str
    result: ReplayFinished
    stale: bool = False


class Transcript(Value):
    """A conversation, whole: what the page draws and a client resumes from (``after=seq``).

    ``replay`` is there while one runs.
    ``network``: whether its code may reach the network, ``hosts``: what it did there, in all.
    """

    id: str
    seq: int
    title: str
    model: str | None = None
    pinned: bool = False
    deleted: bool = False
    rules: str | None = None
    allowed: list[str] | None = None
    notebook: str | None = None
    kept: dict[str, Any] | None = None
    network: bool | None = None
    hosts: list[NetworkHost] | None = None
    kernel_name: str | None = None
    python: str | None = None
    language: str | None = None
    created_at: str
    updated_at: str
    kernel: KernelInfo = Field(default_factory=KernelInfo)
    turns: list[Turn] = Field(default_factory=list)
    parent: ParentLink | None = None
    replay: ReplayProgress | None = None
    proof: Proof | None = None


class ConversationSummary(Value):
    """A row of the conversation list."""

    id: str
    title: str
    model: str | None = None
    pinned: bool = False
    created_at: str
    updated_at: str
    running: bool = False
    waiting: bool | None = None
    parent: ParentLink | None = None
    network: bool | None = None
    kernel_name: str | None = None
    python: str | None = None


class ConversationDisk(Value):
    """What a conversation takes of the data folder; ``title`` is absent where no log knows it.

    ``parts``: bytes by what they are kept for. ``in_place``: it works in a folder of the person's
    own, which is not counted.
    """

    id: str
    title: str | None = None
    deleted: bool = False
    bytes: int = 0
    parts: dict[str, int] = Field(default_factory=dict)
    in_place: bool | None = None


class DiskUse(Value):
    """The data folder in bytes: all of the conversations and the log, and what the disk has left.

    Versions that a branch shares with its origin count for both.
    """

    data_dir: str
    total: int
    log: int
    free: int
    conversations: list[ConversationDisk]


class Variable(Value):
    """A variable of the kernel. ``memory`` in bytes, of containers estimated from a sample.

    ``first``: its first values, as one line. ``table``: its rows can be looked at.
    """

    name: str
    type: str
    module: str | None = None
    dtype: str | None = None
    shape: list[int] | None = None
    memory: int | None = None
    first: str | None = None
    table: bool = False


class Variables(Value):
    """What the kernel holds; ``total`` counts those that are left out, too.

    ``state``: ``parked`` without a kernel, ``unsupported`` where it speaks another language.
    """

    state: Literal["idle", "parked", "unsupported"]
    variables: list[Variable] = Field(default_factory=list)
    total: int = 0


class TableColumn(Value):
    """A column of a table; ``type`` in its library's words."""

    name: str
    type: str
    kind: Literal["number", "text", "time", "boolean"]


class TableRows(Value):
    """Rows of a variable from ``offset`` on, those that fit the filter, in the order asked for.

    ``rows`` has the cells of the columns that are sent, None for what is missing; ``index`` the
    rows' labels. ``column`` is the number of the first of them.
    """

    name: str
    total: int
    matching: int
    offset: int
    columns: list[TableColumn]
    columns_total: int
    column: int
    index: list[str]
    rows: list[list[str | None]]


class FileEntry(Value):
    """A workspace file; ``size`` in bytes, ``modified`` in seconds since 1970."""

    path: str
    size: int
    modified: float
