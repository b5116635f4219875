import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import { settings } from "../../lib/lists";
import { transcripts } from "../../lib/live";
import type { CellPart, Transcript } from "../../protocol/generated";
import { TipProvider } from "../../ui/Tip";
import { CellOffers } from "./CellOffers";
import { NetworkButton } from "./NetworkButton";
import { hasNetwork } from "./network";
import { hasOffers, missingPackage } from "./offers";

const LOADED = { timeout: 4_000 };
const sent: [string, unknown][] = [];
let level: Transcript["kernel"]["sandbox"] = "bwrap";

function conversation(fields: Partial<Transcript> = {}): Transcript {
  return {
    id: "c",
    seq: 1,
    title: "",
    pinned: false,
    deleted: false,
    network: false,
    created_at: "2026-03-01T08:00:00.000Z",
    updated_at: "2026-03-01T08:00:00.000Z",
    kernel: { kernel_id: "k", state: "idle", sandbox: "bwrap", network: false },
    turns: [],
    ...fields,
  };
}

function failed(ename: string, evalue: string, fields: Partial<CellPart> = {}): CellPart {
  const output = { output_type: "error" as const, ename, evalue, traceback: [] };
  return {
    type: "cell",
    cell_id: "x",
    code: "load()",
    origin: "model",
    status: "error",
    outputs: [{ output }],
    files: { added: [], changed: [], removed: [] },
    clear_pending: false,
    ...fields,
  };
}

beforeEach(() => {
  sent.splice(0);
  level = "bwrap";
  settings.invalidate();
  vi.spyOn(globalThis, "fetch").mockImplementation((url, init) => {
    if (typeof url === "string" && typeof init?.body === "string") {
      sent.push([url.split("/api/")[1] ?? "", JSON.parse(init.body)]);
    }
    const sandbox = { level, wanted: "auto", asks: false, agreed: false, why: null, mend: null };
    return Promise.resolve(new Response(JSON.stringify({ sandbox, cell_id: "y" })));
  });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

async function dialogOf(transcript: Transcript) {
  render(
    <TipProvider>
      <NetworkButton transcript={transcript} />
    </TipProvider>,
  );
  const name = hasNetwork(transcript) ? en.network.on : en.network.off;
  fireEvent.click(screen.getByRole("button", { name }));
  return within(await screen.findByRole("dialog", { name: en.network.title }, LOADED));
}

describe("the globe", () => {
  it("switches the network and shows where the code went", async () => {
    const host = { host: "example.org", requests: 2, refused: 1, sent: 120, received: 4096 };
    const others = { host: "*", requests: 1, refused: 0, sent: 1, received: 1 };
    const dialog = await dialogOf(conversation({ hosts: [host, others] }));
    expect(dialog.getByText("example.org")).toBeTruthy();
    expect(dialog.getByText(/2 requests · .*120.*sent.* · 1 not reached/)).toBeTruthy();
    expect(dialog.getByText(en.network.others)).toBeTruthy();
    fireEvent.click(dialog.getByRole("switch", { name: en.network.allow }));
    expect(sent).toEqual([["conversations/c", { network: true }]]);
  });

  it.each([
    ["none", "true"],
    ["landlock", "false"],
  ] as const)("cannot be switched at the level %s, and says why", async (at, on) => {
    level = at;
    const kernel = { ...conversation().kernel, sandbox: at, network: at === "none" };
    const dialog = await dialogOf(conversation({ kernel }));
    expect(await dialog.findByText(en.network.detail[at])).toBeTruthy();
    const button = dialog.getByRole("switch");
    expect(button.hasAttribute("disabled")).toBe(true);
    expect(button.getAttribute("aria-checked")).toBe(on);
  });
});

describe("the offers of a cell", () => {
  it("allows the network and runs the code again", async () => {
    transcripts.adopt(conversation());
    const cell = failed("HTTPError", "403", { refused_hosts: ["a.test", "b.test"] });
    expect(hasOffers(cell)).toBe(true);
    render(<CellOffers cell={cell} conversationId="c" />);
    expect(screen.getByText(en.network.wanted("a.test, b.test"))).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: en.network.allowAndRun }));
    await vi.waitFor(() => expect(sent).toHaveLength(2));
    expect(sent).toEqual([
      ["conversations/c", { network: true }],
      ["conversations/c/cells", { code: "load()", after_cell: "x" }],
    ]);
  });

  it("installs the package of a module, under its own name", async () => {
    transcripts.adopt(conversation());
    const cell = failed("ModuleNotFoundError", "No module named 'sklearn.svm'");
    render(
      <TipProvider>
        <CellOffers cell={cell} conversationId="c" />
      </TipProvider>,
    );
    fireEvent.click(screen.getByRole("button", { name: en.packages.offer("scikit-learn") }));
    const dialog = within(await screen.findByRole("dialog", { name: en.packages.title }));
    const field = dialog.getByRole("textbox");
    fireEvent.change(field, { target: { value: "scikit-learn>=1, polars[pandas, numpy]" } });
    fireEvent.click(dialog.getByRole("button", { name: en.packages.action }));
    expect(sent).toEqual([
      ["conversations/c/packages", { packages: ["scikit-learn>=1", "polars[pandas, numpy]"] }],
    ]);
  });

  it.each([
    ["ModuleNotFoundError", "No module named 'a_b'", "a-b"],
    ["ModuleNotFoundError", "No module named '../x'", undefined],
    ["ImportError", "No module named 'x'", undefined],
  ])("%s %s is for want of %s", (ename, evalue, name) => {
    expect(missingPackage(failed(ename, evalue))).toBe(name);
  });
});
