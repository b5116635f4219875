import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import type { CellPart } from "../../protocol/generated";
import { TipProvider } from "../../ui/Tip";
import { CellView } from "./CellView";

const NOTHING = { added: [], changed: [], removed: [] };
let counter = 0;

function draw(fields: Partial<CellPart>) {
  const cell: CellPart = {
    type: "cell",
    cell_id: `x${++counter}`,
    code: "print(1)",
    origin: "model",
    status: "ok",
    outputs: [],
    files: NOTHING,
    clear_pending: false,
    ...fields,
  };
  return render(
    <TipProvider>
      <CellView cell={cell} conversationId="c" />
    </TipProvider>,
  );
}

afterEach(cleanup);

describe("the header", () => {
  it.each([
    ["writing", en.cell.writing],
    ["ok", en.cell.ok],
    ["error", en.cell.error],
    ["not_run", en.cell.not_run],
  ] as const)("says that it is %s", (status, text) => {
    draw({ status });
    expect(screen.getByText(text)).toBeTruthy();
  });

  it("says how long it took and which it was", () => {
    draw({ ms: 1840, execution_count: 7 });
    expect(screen.getByText("1.8 s")).toBeTruthy();
    expect(screen.getByText("[7]")).toBeTruthy();
  });
});

describe("the code", () => {
  const long = Array.from({ length: 40 }, (_, line) => `x = ${line}`).join("\n");

  it("folds to twelve lines when it is done, and opens", () => {
    draw({ code: long });
    fireEvent.click(screen.getByRole("button", { name: en.cell.allLines(40) }));
    expect(screen.getByRole("button", { name: en.cell.fewerLines })).toBeTruthy();
  });

  it.each(["writing", "running"] as const)("stays whole while it is %s", (status) => {
    draw({ code: long, status });
    expect(screen.queryByRole("button", { name: en.cell.allLines(40) })).toBeNull();
  });

  it("can be hidden", () => {
    draw({ code: "secret_name = 1" });
    fireEvent.click(screen.getByRole("button", { name: en.cell.hideCode }));
    expect(screen.queryByText(/secret_name/)).toBeNull();
  });
});

describe("files", () => {
  it("can be downloaded where they were made", () => {
    draw({ files: { added: ["out/结果.csv"], changed: ["b.png"], removed: ["old"] } });
    const list = screen.getByRole("list", { name: en.cell.files });
    const links = within(list).getAllByRole<HTMLAnchorElement>("link");
    expect(links.map((link) => new URL(link.href).pathname)).toEqual([
      "/api/conversations/c/files/out/%E7%BB%93%E6%9E%9C.csv",
      "/api/conversations/c/files/b.png",
    ]);
    expect(within(list).getByText("old").tagName).toBe("DEL");
  });
});

describe("what can be done with it", () => {
  function answers(status: number, body: unknown): [string, string, unknown][] {
    const sent: [string, string, unknown][] = [];
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      sent.push([init.method ?? "", new URL(url).pathname, init.body]);
      return Promise.resolve(new Response(JSON.stringify(body), { status }));
    });
    return sent;
  }

  it("is edited and runs again in its place", async () => {
    const sent = answers(202, {});
    draw({ cell_id: "edits", code: "a = 1" });
    fireEvent.click(screen.getByRole("button", { name: en.cell.edit }));
    fireEvent.click(await screen.findByRole("button", { name: en.cell.run }));
    await vi.waitUntil(() => sent.length > 0);
    expect(sent).toEqual([["PUT", "/api/conversations/c/cells/edits", '{"code":"a = 1"}']]);
    await vi.waitUntil(() => screen.queryByRole("button", { name: en.cell.run }) === null);
  });

  it("has room for another one below", async () => {
    const sent = answers(202, { cell_id: "n" });
    draw({ cell_id: "first" });
    fireEvent.click(screen.getByRole("button", { name: en.cell.add }));
    const box = screen.getByRole("region", { name: en.cell.newCell });
    fireEvent.click(within(box).getByRole("button", { name: en.cell.run }));
    expect(sent).toEqual([]); // nothing to run yet
    fireEvent.click(within(box).getByRole("button", { name: en.common.cancel }));
    expect(screen.queryByRole("region", { name: en.cell.newCell })).toBeNull();
  });

  it("is left alone while it runs", () => {
    draw({ status: "running" });
    expect(screen.queryByRole("button", { name: en.cell.edit })).toBeNull();
  });

  it("reverts its files, and asks where something would be lost", async () => {
    const error = { code: "changed_later", message: "a.csv changed again.", retryable: false };
    const sent = answers(409, { error });
    draw({ cell_id: "made", files: { added: [], changed: ["a.csv"], removed: [] } });
    fireEvent.click(screen.getByRole("button", { name: en.cell.revert }));
    const dialog = await screen.findByRole("dialog");
    expect(within(dialog).getByText(/a\.csv changed again/)).toBeTruthy();
    fireEvent.click(within(dialog).getByRole("button", { name: en.cell.revertAction }));
    await vi.waitUntil(() => sent.length > 1);
    const path = "/api/conversations/c/cells/made/revert";
    expect(sent).toEqual([
      ["POST", path, '{"force":false}'],
      ["POST", path, '{"force":true}'],
    ]);
  });

  it("says what was not kept", () => {
    draw({ files: { added: [], changed: ["big.csv"], removed: [] }, not_kept: ["big.csv"] });
    expect(screen.getByText(en.cell.notKept(["big.csv"]))).toBeTruthy();
  });
});

describe("input()", () => {
  it("takes the focus, but not from who is writing", () => {
    const asks = { status: "running", input: { prompt: "Name?", password: false } } as const;
    const box = document.body.appendChild(document.createElement("textarea"));
    box.focus();
    box.id = "composer";
    draw(asks);
    expect(document.activeElement).toBe(screen.getByLabelText("Name?"));
    cleanup();
    expect(document.activeElement).toBe(box);
    box.value = "half a sentence";
    box.focus();
    draw(asks);
    expect(document.activeElement).toBe(box);
    box.remove();
  });

  it("is answered with what is typed", async () => {
    const sent: unknown[] = [];
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      sent.push([new URL(url).pathname, init.body]);
      return Promise.resolve(new Response("{}", { status: 202 }));
    });
    draw({ cell_id: "asks", status: "running", input: { prompt: "Key: ", password: true } });
    const field = screen.getByLabelText<HTMLInputElement>("Key:");
    expect(field.type).toBe("password");
    fireEvent.change(field, { target: { value: "s3cret" } });
    fireEvent.submit(field);
    await vi.waitUntil(() => sent.length > 0);
    fireEvent.submit(field);
    expect(sent).toEqual([["/api/conversations/c/cells/asks/input", '{"text":"s3cret"}']]);
  });
});
