// Written by scripts/gen_types.py from gpt_code_ui/protocol.py. Do not edit.

/** The inside of ``{"error": ...}``, the one error shape of every endpoint and event. */
export interface ErrorBody {
  code: string;
  message: string;
  hint?: string;
  retryable: boolean;
}

/** Text printed to stdout or stderr. */
export interface StreamOutput {
  output_type: "stream";
  name: "stdout" | "stderr";
  text: string;
}

/** A rich display. ``data`` maps MIME type to content; binary content is base64. */
export interface DisplayDataOutput {
  output_type: "display_data";
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
}

/** The value of a cell's last expression. */
export interface ExecuteResultOutput {
  output_type: "execute_result";
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
  execution_count?: number;
}

/** An exception; ``traceback`` lines carry ANSI colours. */
export interface ErrorOutput {
  output_type: "error";
  ename: string;
  evalue: string;
  traceback: string[];
}

/** How much a cell printed in all, where only a part travels inline. */
export interface Truncation {
  bytes_total: number;
  lines_total: number;
}

/** Workspace paths, relative and with ``/``, by what happened to them. */
export interface FileChanges {
  added: string[];
  changed: string[];
  removed: string[];
}

/** A workspace file the person pointed at in a prompt. */
export interface Attachment {
  path: string;
}

/** A column of a file. ``odd``: how many values are not of its type. */
export interface ProfileColumn {
  name: string;
  type: string;
  missing?: number;
  odd?: number;
  examples: string[];
  min?: string;
  max?: string;
}

/** A sheet, a table, a key or a member of an archive. */
export interface ProfilePart {
  name: string;
  rows?: number;
  width?: number;
  columns: string[];
}

/** What is in a file, as the reader process found it.

``sample`` has the first rows, ``around`` the lines above and below them, ``text`` a beginning;
these and a column's examples and extremes are all that quotes the file. ``broken`` says why
the file could not be read. */
export interface Profile {
  kind: string;
  size: number;
  rows?: number;
  rows_estimated: boolean;
  width?: number;
  columns: ProfileColumn[];
  sample: string[][];
  facts: Record<string, string>;
  parts: ProfilePart[];
  text?: string;
  around: string[];
  notes: string[];
  sampled: boolean;
  broken?: string;
}

/** A file that cells were given, by its content. */
export interface InputFile {
  path: string;
  size: number;
  sha256: string;
}

/** Where a branch came from: the conversation, and the turn it was taken before.

``turns``: how many questions were asked up to there. The next one stands where that turn does,
and a branch taken before it names the same turn. */
export interface ParentLink {
  conversation_id: string;
  before_turn: string;
  turns: number;
}

/** Where a replay first differs. ``cell`` counts from 1, ``output`` from 0.

``expected`` and ``found`` are short texts, cut around what differs. */
export interface Difference {
  kind: "number" | "text" | "figure" | "exception" | "missing_output" | "extra_output" | "changed_input";
  cell: number;
  cell_id?: string;
  output?: number;
  expected: string;
  found: string;
}

/** A file as it was when the model was told of it, and in which words. */
export interface ToldFile {
  path: string;
  size: number;
  modified: number;
  text: string;
}

/** The kernel's state. ``parked``: not running, starts when it is needed.

``used``: code has run in it, so it has variables.
``missing``: the package without which this interpreter can be no kernel. */
export interface KernelStatus {
  type: "kernel_status";
  kernel_id?: string;
  state: "starting" | "idle" | "busy" | "restarting" | "dead" | "parked";
  reason?: string;
  hint?: string;
  missing?: string;
  sandbox: "bwrap" | "landlock" | "none";
  network: boolean;
  used?: boolean;
}

/** The person asked. ``imported``: nobody did, these are the cells of the notebook so named. */
export interface TurnStarted {
  type: "turn_started";
  turn_id: string;
  prompt: string;
  model: string;
  attachments: Attachment[];
  imported?: string;
}

/** The turn is over; every part of it was closed before. */
export interface TurnFinished {
  type: "turn_finished";
  turn_id: string;
  status: "completed" | "stopped" | "limit" | "failed";
  error?: ErrorBody;
}

/** Model text on its way; ``offset`` counts Unicode code points. Not stored. */
export interface TextDelta {
  type: "text_delta";
  part_id: string;
  offset: number;
  text: string;
}

/** The whole of a text part. ``kept``: what else its cell had in an imported notebook. */
export interface TextDone {
  type: "text_done";
  part_id: string;
  turn_id: string;
  text: string;
  kept?: Record<string, unknown>;
}

/** Model thinking on its way. Not stored. */
export interface ReasoningDelta {
  type: "reasoning_delta";
  part_id: string;
  offset: number;
  text: string;
}

/** The whole of a reasoning part. */
export interface ReasoningDone {
  type: "reasoning_done";
  part_id: string;
  turn_id: string;
  text: string;
}

/** Code on its way into a cell that has not started. Not stored. */
export interface CodeDelta {
  type: "code_delta";
  cell_id: string;
  offset: number;
  text: string;
}

/** The cell reached the kernel, with its whole code; again, when it was edited and runs anew.

``repaired``: the model's call was not as it should be, and was understood. ``kept``: what else
the cell had in an imported notebook. ``language``: what it is written in, where not Python. */
export interface CellStarted {
  type: "cell_started";
  cell_id: string;
  turn_id?: string;
  code: string;
  origin: "model" | "person";
  after_cell?: string;
  repaired?: boolean;
  kept?: Record<string, unknown>;
  language?: string;
}

/** One more output of a cell; consecutive streams of one name append. */
export interface CellOutput {
  type: "cell_output";
  cell_id: string;
  output: CellOutputValue;
  display_id?: string;
  truncated?: Truncation;
}

/** Every output of the conversation with this ``display_id`` shows this from now on. */
export interface CellOutputUpdated {
  type: "cell_output_updated";
  display_id: string;
  data: Record<string, unknown>;
  metadata: Record<string, unknown>;
}

/** The cell's outputs go: at once, or with ``wait`` when the next one comes. */
export interface CellOutputsCleared {
  type: "cell_outputs_cleared";
  cell_id: string;
  wait: boolean;
}

/** Execute reply and iopub idle were both seen, or the cell cannot go on.

``not_kept``: files it changed or removed whose earlier content was not kept.
``refused_hosts``: what it asked for in vain, because the network was off. */
export interface CellFinished {
  type: "cell_finished";
  cell_id: string;
  status: "ok" | "error" | "interrupted" | "timeout" | "died" | "not_run";
  execution_count?: number;
  ms: number;
  reason?: string;
  files: FileChanges;
  not_kept?: string[];
  refused_hosts?: string[];
}

/** The person took a cell away; what it did in the kernel and on the disk stays. */
export interface CellDeleted {
  type: "cell_deleted";
  cell_id: string;
}

/** Code called ``input()`` or ``getpass()``. */
export interface InputRequested {
  type: "input_requested";
  cell_id: string;
  prompt: string;
  password: boolean;
}

/** The person answered; the text itself is not kept. */
export interface InputReplied {
  type: "input_replied";
  cell_id: string;
}

/** The model called another tool than ``execute_code``; ``arguments`` is its JSON. */
export interface ToolStarted {
  type: "tool_started";
  call_id: string;
  turn_id: string;
  server?: string;
  name: string;
  arguments: string;
}

/** Why something is asked about before it runs; ``line`` is a line of the code, from 1.

``kind`` is what "allow this" remembers, ``what`` the piece of code it is about. */
export interface Reason {
  line: number;
  text: string;
  kind?: string;
  what?: string;
}

/** A cell or a call of a server's tool waits for the person; ``cell_id`` is the call's id then.

``code`` is the whole code, or the call's arguments. ``tool``: the name of the tool. */
export interface ApprovalRequested {
  type: "approval_requested";
  cell_id: string;
  turn_id: string;
  code: string;
  reasons: Reason[];
  tool?: string;
  server?: string;
}

/** The person decided. ``edited``: other code runs than was asked about. ``remember``: what
was asked about, by kind, is not asked about again in this conversation. */
export interface ApprovalResolved {
  type: "approval_resolved";
  cell_id: string;
  run: boolean;
  edited: boolean;
  remember: boolean;
}

/** What the model got for the call, as text. */
export interface ToolFinished {
  type: "tool_finished";
  call_id: string;
  status: "ok" | "error";
  content: string;
}

/** A request left for the model; its body is kept and can be looked at.

``unseen``: how many pictures were left out of it because the model cannot see. */
export interface ModelRequestSent {
  type: "model_request";
  turn_id: string;
  request_id: string;
  url: string;
  bytes: number;
  sha256: string;
  unseen?: number;
}

/** Tokens as the endpoint counted them, summed over the turn's requests so far.

``context_tokens``: the last request with its answer, which is what fills the window. */
export interface Usage {
  type: "usage";
  turn_id: string;
  input_tokens: number;
  output_tokens: number;
  context_tokens: number;
  context_window?: number;
  cost?: number;
}

/** Files came, changed or went outside a cell: an upload, a deletion. */
export interface FilesChanged {
  type: "files_changed";
  files: FileChanges;
}

/** What the model is told of files in this turn, stored so that a history never changes. */
export interface FilesTold {
  type: "files_told";
  turn_id: string;
  files: ToldFile[];
}

/** What code of a conversation did with a host. ``refused``: requests that were not forwarded.

``sent`` and ``received`` are bytes; the host ``*`` stands for all beyond the first 200. */
export interface NetworkHost {
  host: string;
  requests: number;
  refused: number;
  sent: number;
  received: number;
}

/** What was added for each host since this was last said; at most one a second. */
export interface NetworkUsed {
  type: "network_used";
  hosts: NetworkHost[];
}

/** What is set changed; what is absent stayed. ``rules``: house rules, empty for none.

``allowed``: what is no longer asked about, by the kinds of reasons.
``notebook``: the workspace file that is kept up to date as a notebook, empty for none;
``kept``: the metadata of the notebook that this was imported from.
``parent`` is told once, when a branch begins.
``network``: whether code may reach the network.
``kernel_name``: the kernelspec that was chosen, and ``python``: the interpreter; empty for
none. ``language``: what that kernel runs. */
export interface ConversationChanged {
  type: "conversation_changed";
  title?: string;
  model?: string;
  pinned?: boolean;
  deleted?: boolean;
  rules?: string;
  allowed?: string[];
  notebook?: string;
  kept?: Record<string, unknown>;
  parent?: ParentLink;
  network?: boolean;
  kernel_name?: string;
  python?: string;
  language?: string;
}

/** Cells run once more, for a proof or to bring variables back: ``done`` of ``total`` have. */
export interface ReplayProgress {
  type: "replay_progress";
  replay_id: string;
  purpose: "proof" | "restore" | "branch";
  done: number;
  total: number;
}

/** How a replay ended. A proof ``reproduces`` or ``differs``; ``reason`` says why it failed.

``skipped``: cells that were once interrupted or lost with their kernel are not run again.
``packages``: versions of what was imported; ``inputs``: the files that cells were given. */
export interface ReplayFinished {
  type: "replay_finished";
  replay_id: string;
  purpose: "proof" | "restore" | "branch";
  status: "reproduces" | "differs" | "restored" | "stopped" | "failed";
  cells: number;
  ms: number;
  skipped?: number;
  difference?: Difference;
  reason?: string;
  python?: string;
  packages?: Record<string, string>;
  inputs?: InputFile[];
}

/** An event as clients get it. Deltas are for the screen and have no ``seq``. */
export interface Published {
  seq?: number;
  conversation_id: string;
  at: string;
  event: ConversationEvent;
}

/** Let code reach the network from now on, or no longer; the kernel stays. */
export interface SetNetwork {
  type: "set_network";
  network: boolean;
}

/** What all kernels of a manager may see and use. Paths are absolute, sizes in bytes.

``hidden``: folders and files of ours that no code may see. ``memory_bytes``,
``workspace_bytes`` (by how much the folder may grow), ``workspace_files`` and ``free_bytes``
(what has to stay free on the disk) are watched while code runs; None or 0 is no limit. */
export interface CageOptions {
  allow_read: string[];
  hidden: string[];
  processes?: number;
  file_bytes?: number;
  tmp_bytes: number;
  memory_bytes?: number;
  workspace_bytes?: number;
  workspace_files?: number;
  free_bytes: number;
}

/** What a network that is switched on leads to. ``private``: also to the private network.

``also``: networks that are reached whatever they are, for tests; ``packages``: the hosts that
serve packages. */
export interface NetworkOptions {
  private: boolean;
  also: string[];
  packages: string[];
}

/** A picture of a message. ``name``: a workspace path, or ``cell:N`` for a cell's figure.

``data`` is base64, as it was drawn or, once ``width`` and ``height`` in pixels are known, as it
may be sent. Without it the picture lies in the workspace, or ``missing`` says why it is not
sent. */
export interface Picture {
  name: string;
  media_type: string;
  data?: string;
  width?: number;
  height?: number;
  missing?: string;
}

/** What this answer has said since its last call was all of the other kind. */
export interface RetypeChunk {
  type: "retype";
  kind: "text" | "reasoning";
}

/** A row of the model dropdown. ``None``: not known yet. */
export interface ModelInfo {
  id: string;
  name: string;
  provider: string;
  tools?: boolean;
  vision?: boolean;
  context_window?: number;
}

/** The kernel as the transcript knows it. */
export interface KernelInfo {
  kernel_id?: string;
  state: "starting" | "idle" | "busy" | "restarting" | "dead" | "parked";
  reason?: string;
  hint?: string;
  missing?: string;
  sandbox: "bwrap" | "landlock" | "none";
  network: boolean;
  used?: boolean;
}

/** Model text; ``done`` is false while it is being written. */
export interface TextPart {
  type: "text";
  part_id: string;
  text: string;
  done: boolean;
  kept?: Record<string, unknown>;
}

/** Model thinking. */
export interface ReasoningPart {
  type: "reasoning";
  part_id: string;
  text: string;
  done: boolean;
}

/** A question of the running code that waits for the person. */
export interface InputPrompt {
  prompt: string;
  password: boolean;
}

/** An output with the handle by which it can be updated. */
export interface TranscriptOutput {
  output: CellOutputValue;
  display_id?: string;
}

/** What the person is asked before something runs. */
export interface Approval {
  reasons: Reason[];
}

/** Code with its outputs. ``writing``: the model is at it; ``running``: the kernel is;
``waiting``: the person is asked. ``edited``: the person changed the code. */
export interface CellPart {
  type: "cell";
  cell_id: string;
  code: string;
  origin: "model" | "person";
  status: "writing" | "waiting" | "running" | "ok" | "error" | "interrupted" | "timeout" | "died" | "not_run";
  outputs: TranscriptOutput[];
  execution_count?: number;
  ms?: number;
  started_at?: string;
  reason?: string;
  files: FileChanges;
  truncated?: Truncation;
  input?: InputPrompt;
  clear_pending: boolean;
  repaired?: boolean;
  approval?: Approval;
  not_kept?: string[];
  edited?: boolean;
  kept?: Record<string, unknown>;
  refused_hosts?: string[];
  language?: string;
}

/** A call of another tool than ``execute_code``, and what the model got for it. */
export interface ToolPart {
  type: "tool";
  call_id: string;
  server?: string;
  name: string;
  arguments: string;
  status: "waiting" | "running" | "ok" | "error";
  content: string;
  approval?: Approval;
}

/** A question and its answer. ``turn_id`` is None for cells the person ran by themselves.

``unseen``: pictures of the last request that the model could not see, where there were any. */
export interface Turn {
  turn_id?: string;
  prompt: string;
  model?: string;
  attachments: Attachment[];
  parts: TurnPart[];
  status: "running" | "completed" | "stopped" | "limit" | "failed";
  error?: ErrorBody;
  started_at?: string;
  usage?: Usage;
  told?: ToldFile[];
  unseen?: number;
  imported?: string;
}

/** The last proof of a conversation. ``stale``: cells ran or went since. */
export interface Proof {
  at: string;
  result: ReplayFinished;
  stale: boolean;
}

/** A conversation, whole: what the page draws and a client resumes from (``after=seq``).

``replay`` is there while one runs.
``network``: whether its code may reach the network, ``hosts``: what it did there, in all. */
export interface Transcript {
  id: string;
  seq: number;
  title: string;
  model?: string;
  pinned: boolean;
  deleted: boolean;
  rules?: string;
  allowed?: string[];
  notebook?: string;
  kept?: Record<string, unknown>;
  network?: boolean;
  hosts?: NetworkHost[];
  kernel_name?: string;
  python?: string;
  language?: string;
  created_at: string;
  updated_at: string;
  kernel: KernelInfo;
  turns: Turn[];
  parent?: ParentLink;
  replay?: ReplayProgress;
  proof?: Proof;
}

/** A row of the conversation list. */
export interface ConversationSummary {
  id: string;
  title: string;
  model?: string;
  pinned: boolean;
  created_at: string;
  updated_at: string;
  running: boolean;
  waiting?: boolean;
  parent?: ParentLink;
  network?: boolean;
  kernel_name?: string;
  python?: string;
}

/** What a conversation takes of the data folder; ``title`` is absent where no log knows it.

``parts``: bytes by what they are kept for. ``in_place``: it works in a folder of the person's
own, which is not counted. */
export interface ConversationDisk {
  id: string;
  title?: string;
  deleted: boolean;
  bytes: number;
  parts: Record<string, number>;
  in_place?: boolean;
}

/** The data folder in bytes: all of the conversations and the log, and what the disk has left.

Versions that a branch shares with its origin count for both. */
export interface DiskUse {
  data_dir: string;
  total: number;
  log: number;
  free: number;
  conversations: ConversationDisk[];
}

/** A variable of the kernel. ``memory`` in bytes, of containers estimated from a sample.

``first``: its first values, as one line. ``table``: its rows can be looked at. */
export interface Variable {
  name: string;
  type: string;
  module?: string;
  dtype?: string;
  shape?: number[];
  memory?: number;
  first?: string;
  table: boolean;
}

/** What the kernel holds; ``total`` counts those that are left out, too.

``state``: ``parked`` without a kernel, ``unsupported`` where it speaks another language. */
export interface Variables {
  state: "idle" | "parked" | "unsupported";
  variables: Variable[];
  total: number;
}

/** A column of a table; ``type`` in its library's words. */
export interface TableColumn {
  name: string;
  type: string;
  kind: "number" | "text" | "time" | "boolean";
}

/** Rows of a variable from ``offset`` on, those that fit the filter, in the order asked for.

``rows`` has the cells of the columns that are sent, None for what is missing; ``index`` the
rows' labels. ``column`` is the number of the first of them. */
export interface TableRows {
  name: string;
  total: number;
  matching: number;
  offset: number;
  columns: TableColumn[];
  columns_total: number;
  column: number;
  index: string[];
  rows: ((string | null)[])[];
}

/** A workspace file; ``size`` in bytes, ``modified`` in seconds since 1970. */
export interface FileEntry {
  path: string;
  size: number;
  modified: number;
}

export type CellOutputValue =
  | StreamOutput
  | DisplayDataOutput
  | ExecuteResultOutput
  | ErrorOutput;

export type ConversationEvent =
  | KernelStatus
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
  | ReplayFinished;

export type Delta =
  | TextDelta
  | ReasoningDelta
  | CodeDelta;

export type TurnPart =
  | TextPart
  | ReasoningPart
  | CellPart
  | ToolPart;
