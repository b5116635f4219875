/**
 * The server's HTTP interface, typed. Every failure is an ApiError in the server's one error shape;
 * a 401 is also told to `onUnauthenticated`, so that the page can ask who is there.
 */
import type {
  ConversationSummary,
  DiskUse,
  ErrorBody,
  FileChanges,
  FileEntry,
  KernelInfo,
  ModelInfo,
  Profile,
  TableRows,
  Transcript,
  Variables,
} from "../protocol/generated";

export class ApiError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  /** The HTTP status; 0 when no answer came. */
  readonly status: number;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.name = "ApiError";
    this.status = status;
    this.code = body.code;
    this.hint = body.hint;
    this.retryable = body.retryable;
  }
}

export interface Health {
  status: string;
  version: string;
  kernel_manager: string;
}

export interface ErrorShape {
  message: string;
  hint?: string | undefined;
}

export interface ModelList {
  models: ModelInfo[];
  default: string | null;
  /** Providers that did not tell their models, each with its error. */
  problems?: { provider: string; error: ErrorShape }[];
}

/** A provider as the server shows it: where its key is, never the key. */
export interface ProviderInfo {
  id: string;
  name: string;
  kind: "openai" | "azure";
  base_url: string | null;
  api_version: string | null;
  models: { name: string; displayName: string }[];
  extra_headers: Record<string, string>;
  source: "environment" | "config" | "page" | "local";
  key_in: "environment" | "keyring" | "file" | null;
}

/** A provider as it is sent; without `key` the key stays, with "" it is forgotten. */
export type ProviderChange = { id: string; key?: string } & Partial<
  Omit<ProviderInfo, "source" | "key_in">
>;

/** An MCP server as the server shows it; values of `env` and `headers` are masked. */
export interface ToolServer {
  name: string;
  command: string | null;
  args: string[];
  env: Record<string, string>;
  cwd: string | null;
  url: string | null;
  headers: Record<string, string>;
  trust: boolean;
  enabled: boolean;
  timeout: number | null;
  source: "config" | "page";
  state: "off" | "idle" | "starting" | "ready" | "failed";
  problem: string | null;
  tools: string[];
}

/** An MCP server as it is sent; a masked value stays what it is. */
export type ToolServerChange = { name: string } & Partial<
  Omit<ToolServer, "source" | "state" | "problem" | "tools">
>;

/** How code is contained. `asks`: no code runs before the person agreed to do without. */
export interface SandboxInfo {
  level: KernelInfo["sandbox"];
  wanted: string;
  asks: boolean;
  agreed: boolean;
  why: string | null;
  mend: string | null;
}

export interface ProviderSettings {
  mcp_servers?: ToolServer[];
  sandbox?: SandboxInfo;
  providers: ProviderInfo[];
  local_servers: { id: string; name: string; base_url: string; models: string[] }[];
  default_model: string | null;
  /** Looks at pictures for models that cannot see. */
  vision_model: string | null;
  /** What is asked about before it runs. */
  approve: Approve;
}

export type Approve = "never" | "risky" | "always";

export interface TestResult {
  seconds: number;
  text: string;
  learnt: {
    tools?: boolean | null;
    vision?: boolean | null;
    context_window?: number | null;
    streams?: boolean | null;
    reasoning?: boolean | null;
    temperature?: boolean | null;
  };
}

export interface Upload extends FileEntry {
  /** Set when the name was taken and another was given. */
  renamed?: boolean;
}

/** A request as it left for the model; the body is what was sent, without keys. */
export interface SentRequest {
  request_id: string;
  url: string;
  body: string;
  at?: string;
  bytes?: number;
  sha256?: string;
}

/** Not `complete`: the folder holds more than is looked at. */
export interface FileListing {
  files: FileEntry[];
  complete: boolean;
}

export type KernelAction = "interrupt" | "restart" | "restore";

/** What a revert did; it can be reverted itself by its id. */
export interface Reverted {
  revert_id: string;
  files: FileChanges;
  not_kept: string[];
}

/** What a conversation can run in: an installed kernel by its `name`, or an interpreter. */
export interface KernelChoice {
  name: string | null;
  display_name: string;
  language: string;
  default: boolean;
  python?: string;
  origin?: "default" | "active" | "folder" | "venv" | "conda" | "pyenv" | "uv" | "system";
  /** It has ipykernel; null where that cannot be seen. */
  ready?: boolean | null;
}

/** How the command that installs what an interpreter lacks went. */
export interface Mended {
  ok: boolean;
  command: string;
  output: string;
}

const BASE = new URL("api/", document.baseURI).href;

/** The absolute address of a path below `/api/`. */
export function apiUrl(path: string): string {
  return BASE + path;
}

function segments(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** Where a workspace file is downloaded. */
export function fileUrl(conversationId: string, path: string): string {
  return apiUrl(`conversations/${encodeURIComponent(conversationId)}/files/${segments(path)}`);
}

/** Where the HTML of a cell's `index`th output is served, for a frame. */
export function frameUrl(conversationId: string, cellId: string, index: number): string {
  const conversation = encodeURIComponent(conversationId);
  return apiUrl(`conversations/${conversation}/cells/${encodeURIComponent(cellId)}/frame/${index}`);
}

/** Where the whole workspace is downloaded as one archive. */
export function zipUrl(conversationId: string): string {
  return apiUrl(`conversations/${encodeURIComponent(conversationId)}/files?zip`);
}

export type ExportFormat = "ipynb" | "py" | "md" | "html";

/** Where the conversation is downloaded as a file of that format. */
export function exportUrl(conversationId: string, format: ExportFormat): string {
  return apiUrl(`conversations/${encodeURIComponent(conversationId)}/notebook?format=${format}`);
}

/** The error in an answer's body, or what can be said from its status alone. */
export function errorFrom(status: number, body: unknown): ApiError {
  if (typeof body === "object" && body !== null && "error" in body) {
    const { error } = body as { error: Partial<ErrorBody> };
    if (typeof error?.message === "string") {
      return new ApiError(status, { code: "internal", retryable: false, ...error } as ErrorBody);
    }
  }
  return new ApiError(status, {
    code: "unexpected",
    message: `The server answered ${status}.`,
    retryable: status >= 500,
  });
}

/** What could not be sent or answered at all, in the same shape. */
export function unreachable(cause: unknown): ApiError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ApiError(0, { code: "unreachable", message, retryable: true });
}

let unauthenticated: () => void = () => {};

/** Who is told that the session is not (or no longer) known. */
export function onUnauthenticated(listener: () => void): void {
  unauthenticated = listener;
}

export function reportUnauthenticated(): void {
  unauthenticated();
}

/** A file as a body is JSON as it stands: it is sent without being read. */
async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  const init: RequestInit = { method, headers };
  if (body !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = body instanceof Blob ? body : JSON.stringify(body);
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(apiUrl(path), init);
    text = await response.text();
  } catch (error) {
    throw unreachable(error);
  }
  const answer = parsed(text);
  if (response.ok && (answer !== undefined || text === "")) return answer as T;
  if (response.status === 401 && path !== "session") unauthenticated();
  throw errorFrom(response.status, answer);
}

/** The JSON in a body; undefined if it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const of = (id: string) => `conversations/${encodeURIComponent(id)}`;
const cellOf = (id: string, cellId: string) => `${of(id)}/cells/${encodeURIComponent(cellId)}`;

/** A list, whether it comes bare or under its name. */
function listIn<T>(answer: unknown, name: string): T[] {
  if (Array.isArray(answer)) return answer as T[];
  const list = (answer as Record<string, unknown> | undefined)?.[name];
  return Array.isArray(list) ? (list as T[]) : [];
}

export const api = {
  health: () => request<Health>("GET", "health"),
  signIn: (code: string) => request<unknown>("POST", "session", { code }),
  setting: async (name: string): Promise<unknown> => {
    const rows = listIn<{ name: string; value: unknown }>(
      await request("GET", "settings"),
      "settings",
    );
    return rows.find((row) => row.name === name)?.value;
  },
  models: () => request<ModelList>("GET", "models"),
  refreshModels: () => request<ModelList>("GET", "models?refresh=1"),
  testModel: (model: string) => request<TestResult>("POST", "models/test", { model }),
  settings: () => request<ProviderSettings>("GET", "settings"),
  changeSettings: (fields: {
    providers?: ProviderChange[];
    default_model?: string | null;
    vision_model?: string | null;
    approve?: Approve;
    sandbox_consent?: boolean;
    mcp_servers?: ToolServerChange[];
  }) => request<ProviderSettings>("PATCH", "settings", fields),
  checkToolServer: (name: string) => request<ToolServer>("POST", "mcp/check", { name }),

  conversations: async (query: string): Promise<ConversationSummary[]> => {
    const search = query === "" ? "" : `?q=${encodeURIComponent(query)}`;
    return listIn(await request("GET", `conversations${search}`), "conversations");
  },
  create: (fields: { title?: string; model?: string }) =>
    request<Transcript>("POST", "conversations", fields),
  importNotebook: (file: File) =>
    request<Transcript>(
      "POST",
      `conversations/import?name=${encodeURIComponent(file.name)}`,
      file.slice(),
    ),
  keepNotebook: (id: string, keep: boolean) =>
    request<unknown>("POST", `${of(id)}/notebook`, { keep }),
  transcript: (id: string) => request<Transcript>("GET", of(id)),
  update: (
    id: string,
    fields: {
      title?: string;
      model?: string;
      pinned?: boolean;
      rules?: string;
      kernel?: string;
      python?: string;
      allowed?: string[];
      network?: boolean;
    },
  ) => request<unknown>("PATCH", of(id), fields),
  remove: (id: string) => request<unknown>("DELETE", of(id)),
  restore: (id: string) => request<unknown>("POST", `${of(id)}/restore`, {}),
  /** For good, of one that was removed before. */
  removeForever: (id: string) => request<unknown>("DELETE", `${of(id)}/forever`),
  disk: () => request<DiskUse>("GET", "disk"),

  ask: (id: string, turn: { prompt: string; model?: string; attachments?: { path: string }[] }) =>
    request<{ turn_id: string }>("POST", `${of(id)}/turns`, turn),
  retry: (id: string, turnId: string) =>
    request<unknown>("POST", `${of(id)}/turns/${encodeURIComponent(turnId)}/retry`, {}),
  runCell: (id: string, cell: { code: string; after_cell?: string }) =>
    request<{ cell_id: string }>("POST", `${of(id)}/cells`, cell),
  editCell: (id: string, cellId: string, code: string) =>
    request<unknown>("PUT", cellOf(id, cellId), { code }),
  deleteCell: (id: string, cellId: string) => request<unknown>("DELETE", cellOf(id, cellId)),
  revert: (id: string, cellId: string, force: boolean) =>
    request<Reverted>("POST", `${cellOf(id, cellId)}/revert`, { force }),
  fork: (id: string, beforeTurn: string) =>
    request<Transcript>("POST", `${of(id)}/fork`, { before_turn: beforeTurn }),
  replay: (id: string) => request<unknown>("POST", `${of(id)}/replay`, {}),
  stopReplay: (id: string) => request<unknown>("DELETE", `${of(id)}/replay`),
  install: (id: string, packages: string[]) =>
    request<{ cell_id: string }>("POST", `${of(id)}/packages`, { packages }),
  replyInput: (id: string, cellId: string, text: string) =>
    request<unknown>("POST", `${of(id)}/cells/${encodeURIComponent(cellId)}/input`, { text }),
  decide: (
    id: string,
    cellId: string,
    answer: { run: boolean; code?: string; remember?: boolean },
  ) => request<unknown>("POST", `${of(id)}/cells/${encodeURIComponent(cellId)}/approval`, answer),
  stop: (id: string) => request<unknown>("POST", `${of(id)}/stop`, {}),
  kernel: (id: string, action: KernelAction, consent = false) =>
    request<unknown>("POST", `${of(id)}/kernel`, { action, ...(consent && { consent }) }),
  kernels: async (): Promise<KernelChoice[]> => listIn(await request("GET", "kernels"), "kernels"),
  installKernel: (id: string) => request<Mended>("POST", `${of(id)}/kernel`, { action: "install" }),

  files: async (id: string): Promise<FileListing> => {
    const answer = await request<{ complete?: boolean }>("GET", `${of(id)}/files`);
    return { files: listIn(answer, "files"), complete: answer.complete ?? true };
  },
  profile: (id: string, path: string) =>
    request<Profile>("GET", `${of(id)}/files/${segments(path)}?preview`),
  requests: async (id: string, turnId: string): Promise<SentRequest[]> =>
    listIn(
      await request("GET", `${of(id)}/turns/${encodeURIComponent(turnId)}/requests`),
      "requests",
    ),
  variables: (id: string) => request<Variables>("GET", `${of(id)}/variables`),
  rows: (
    id: string,
    query: { name: string; sort?: string; filter?: string; column: number },
    offset: number,
    limit: number,
  ) => {
    const { name, ...asked } = query;
    const fields = Object.entries({ ...asked, offset, limit }).map(([key, value]) => [
      key,
      String(value),
    ]);
    const path = `${of(id)}/variables/${encodeURIComponent(name)}/rows`;
    return request<TableRows>("GET", `${path}?${new URLSearchParams(fields)}`);
  },
  removeFile: (id: string, path: string) =>
    request<unknown>("DELETE", `${of(id)}/files/${segments(path)}`),
};
