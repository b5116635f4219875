/** The real product and a scripted model, each a process of its own; a page that is signed in. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test as base, expect, type Page } from "@playwright/test";

export const root = resolve(__dirname, "../..");
const shots = join(root, "tests", "e2e", "shots");
export const python = process.env.PYTHON_UNDER_TEST ?? join(root, ".venv", "bin", "python");
const token = "browser-journeys-0123456789";

/** A child that says one line and lives until it is told to end. */
class Running {
  private output = "";
  private readonly over: Promise<void>;

  constructor(private readonly child: ChildProcess) {
    this.over = new Promise((resolve) => child.once("exit", () => resolve()));
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
  }

  /** The first match in what it said. Rejects if it ends before, or after half a minute. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = pattern.exec(this.output);
      if (found) return found;
      if (this.child.exitCode !== null || Date.now() > deadline)
        throw new Error(`it never said ${pattern}:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    this.child.stdin?.end();
    this.child.kill("SIGTERM");
    const hard = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
    await this.over;
    clearTimeout(hard);
  }
}

/** A running `gptcode`. */
export interface Product {
  readonly origin: string;
  /** The cookie of a browser that was let in. */
  readonly session: { name: string; value: string };
  /** A GET as a script makes it; the JSON that comes. */
  readonly get: <T>(path: string) => Promise<T>;
}

interface PerTest {
  /** A product of this test's own, on the demo model, that nobody has signed in to. */
  fresh: { origin: string; link: string };
  /** A product without a key or a model, and a model server that it has not been told of. */
  bare: { origin: string; link: string; model: string };
  /** The same, but the model server is where Ollama would be. */
  local: { origin: string; link: string };
  /** A page that is signed in, with its console watched. */
  chat: Chat;
}

interface PerWorker {
  /** Which model the product is started with: the built-in one, or the scripted server. */
  demo: boolean;
  /** More variables of its environment. */
  variables: Record<string, string>;
  product: Product;
}

function environment(extra: Record<string, string>): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "USER", "TMPDIR"];
  const own = kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const root = process.getuid?.() === 0 ? { GPTCODE_ALLOW_ROOT: "1" } : {};
  return { ...Object.fromEntries(own), ...root, PYTHONUNBUFFERED: "1", ...extra };
}

async function startModel(): Promise<{ url: string; running: Running }> {
  const child = spawn(python, ["-m", "tests.e2e.model_server"], {
    cwd: root,
    env: environment({}),
    stdio: "pipe",
  });
  const running = new Running(child);
  const said = await running.says(/\{"url": "([^"]+)"\}/);
  return { url: said[1] ?? "", running };
}

/** Starts `gptcode`; `link` is what it prints for the browser, good once. */
async function startProduct(flags: string[], extra: Record<string, string> = {}) {
  const beside = join(python, "..", "gptcode");
  const command = existsSync(beside) ? [beside] : [python, "-m", "gpt_code_ui.cli"];
  const argv = [...command.slice(1), "--no-browser", "--port", "0", ...flags];
  const child = spawn(command[0] ?? "", argv, {
    cwd: tmpdir(),
    env: environment({ GPTCODE_TOKEN: token, ...extra }),
    stdio: "pipe",
  });
  const running = new Running(child);
  const said = await running.says(/(http:\/\/[\w.]+:\d+)\/#code=(\S+)/);
  return { origin: said[1] ?? "", code: said[2] ?? "", link: said[0], running };
}

/** Lets a browser in as the page does. */
async function signIn(origin: string, code: string): Promise<{ name: string; value: string }> {
  const answer = await fetch(`${origin}/api/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  const cookie = /^([^=]+)=([^;]+)/.exec(answer.headers.getSetCookie()[0] ?? "");
  if (!cookie) throw new Error(`no session: ${answer.status} ${await answer.text()}`);
  return { name: cookie[1] ?? "", value: cookie[2] ?? "" };
}

/** A cell as the transcript has it; only what is asked about here. */
export interface Cell {
  type: "cell";
  status: string;
  code: string;
  outputs: { output: { output_type: string; text?: string; data?: Record<string, string> } }[];
}
interface Transcript {
  turns: { status: string; parts: ({ type: "text"; text: string } | Cell)[] }[];
}

/** What a person does on the page, in the words of the page. */
export class Chat {
  /** Console lines that a healthy page does not write. */
  readonly complaints: string[] = [];

  constructor(
    readonly page: Page,
    readonly product: Product,
  ) {
    page.on("console", (message) => {
      // A frame that shows what code made says what its own policy refused.
      if (/\/frame\/\d+(\?|$)/.test(message.location().url)) return;
      if (message.type() === "error" || /Content Security Policy/i.test(message.text()))
        this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  get composer() {
    return this.page.getByRole("textbox", { name: /^(Message|消息)$/ });
  }

  get stopButton() {
    return this.page.getByRole("button", { name: "Stop", exact: true });
  }

  get log() {
    return this.page.getByRole("log");
  }

  /** Cells in a state: writing, running, ok, error, interrupted ... */
  cells(status: string) {
    return this.page.locator(`section[data-cell][data-status="${status}"]`);
  }

  async open(): Promise<void> {
    await this.page.goto(this.product.origin);
    await expect(this.composer).toBeVisible();
  }

  async ask(prompt: string): Promise<void> {
    await this.composer.fill(prompt);
    await this.composer.press("Enter");
  }

  /** Picks files as a person does, and waits until they are there. */
  async pick(...names: string[]): Promise<void> {
    const chooser = this.page.waitForEvent("filechooser");
    await this.page.getByRole("button", { name: "Attach files" }).click();
    await (await chooser).setFiles(names.map((name) => join(root, "tests", "data", name)));
    for (const name of names)
      await expect(this.page.getByRole("button", { name: `Remove ${name}` })).toBeVisible();
  }

  /** Drops a file on the page. */
  async drop(name: string, type: string, bytes: Buffer): Promise<void> {
    const transfer = await this.page.evaluateHandle(
      ([title, kind, body]) => {
        const made = new DataTransfer();
        const raw = Uint8Array.from(atob(body), (c) => c.charCodeAt(0));
        made.items.add(new File([raw], title, { type: kind }));
        return made;
      },
      [name, type, bytes.toString("base64")] as const,
    );
    for (const event of ["dragenter", "dragover", "drop"])
      await this.page.locator("body").dispatchEvent(event, { dataTransfer: transfer });
    await expect(this.page.getByRole("button", { name: `Remove ${name}` })).toBeVisible();
  }

  /** The newest conversation of this product, as the server has it. */
  async transcript(): Promise<Transcript> {
    const { conversations } = await this.product.get<{ conversations: { id: string }[] }>(
      "/api/conversations",
    );
    return this.product.get(`/api/conversations/${conversations[0]?.id}`);
  }

  async lastCells(): Promise<Cell[]> {
    const parts = (await this.transcript()).turns.at(-1)?.parts ?? [];
    return parts.filter((part): part is Cell => part.type === "cell");
  }

  async shot(name: string): Promise<void> {
    mkdirSync(shots, { recursive: true });
    await this.page.screenshot({ path: join(shots, `${name}.png`) });
  }
}

/** Everything the cells printed. */
export function printed(cells: Cell[]): string {
  return cells.flatMap((cell) => cell.outputs.map(({ output }) => output.text ?? "")).join("");
}

const scripted = (url: string) => ({
  OPENAI_BASE_URL: url,
  OPENAI_API_KEY: "sk-scripted",
  OPENAI_MODELS: JSON.stringify([
    { name: "scripted-small", displayName: "Scripted small" },
    { name: "scripted-large", displayName: "Scripted large" },
  ]),
  GPTCODE_MODEL: "scripted-small",
});

export const test = base.extend<PerTest, PerWorker>({
  demo: [false, { option: true, scope: "worker" }],
  variables: [{}, { option: true, scope: "worker" }],
  product: [
    async ({ demo, variables }, use) => {
      const data = mkdtempSync(join(tmpdir(), "gptcode-e2e-"));
      const model = demo ? undefined : await startModel();
      const flags = ["--data-dir", data, ...(demo ? ["--demo"] : [])];
      const started = await startProduct(flags, {
        ...(model ? scripted(model.url) : {}),
        ...variables,
      });
      const { origin } = started;
      const session = await signIn(origin, started.code);
      const headers = { Authorization: `Bearer ${token}` };
      await use({
        origin,
        session,
        get: async (path) => (await fetch(origin + path, { headers })).json(),
      });
      await started.running.stop();
      await model?.running.stop();
      rmSync(data, { recursive: true, force: true });
    },
    { scope: "worker" },
  ],
  fresh: async ({}, use) => {
    const data = mkdtempSync(join(tmpdir(), "gptcode-e2e-"));
    const { origin, link, running } = await startProduct(["--data-dir", data, "--demo"]);
    await use({ origin, link });
    await running.stop();
    rmSync(data, { recursive: true, force: true });
  },
  bare: async ({}, use) => {
    const data = mkdtempSync(join(tmpdir(), "gptcode-e2e-"));
    const model = await startModel();
    const started = await startProduct(["--data-dir", data], { GPTCODE_FIND_LOCAL: "off" });
    await use({ origin: started.origin, link: started.link, model: model.url });
    await started.running.stop();
    await model.running.stop();
    rmSync(data, { recursive: true, force: true });
  },
  local: async ({}, use) => {
    const data = mkdtempSync(join(tmpdir(), "gptcode-e2e-"));
    const model = await startModel();
    const started = await startProduct(["--data-dir", data], {
      OLLAMA_HOST: new URL(model.url).host,
    });
    await use({ origin: started.origin, link: started.link });
    await started.running.stop();
    await model.running.stop();
    rmSync(data, { recursive: true, force: true });
  },
  chat: async ({ page, product }, use) => {
    await page.context().addCookies([{ ...product.session, url: product.origin }]);
    const chat = new Chat(page, product);
    await chat.open();
    await use(chat);
    expect(chat.complaints, "the page's console").toEqual([]);
  },
});

export { expect };
