import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { Tooltip } from "radix-ui";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import { disk } from "../../lib/lists";
import type { ConversationDisk } from "../../protocol/generated";
import { StorageDialog } from "./StorageDialog";

const words = en.storage;
const row = (id: string, more: Partial<ConversationDisk>): ConversationDisk => ({
  id,
  title: id,
  deleted: false,
  bytes: 0,
  parts: {},
  ...more,
});
let sent: string[];
let rows: ConversationDisk[];
let busy: string[];

beforeEach(() => {
  disk.invalidate();
  [sent, busy] = [[], []];
  rows = [
    row("big", { bytes: 5_000_000, parts: { workspaces: 4_000_000, versions: 1_000_000 } }),
    row("old", { bytes: 2_000_000, deleted: true }),
    row("older", { bytes: 1_000_000, deleted: true }),
    row("mine", { title: "", in_place: true }),
    { id: "stray", deleted: false, bytes: 10, parts: {} },
  ];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const path = url.slice(url.indexOf("/api/") + 5);
    const id = path.split("/")[1] ?? "";
    if (path !== "disk") sent.push(`${init.method} ${path}`);
    if (busy.includes(id)) {
      const error = { code: "busy", message: "It still runs.", retryable: false };
      return Promise.resolve(new Response(JSON.stringify({ error }), { status: 409 }));
    }
    if (init.method === "DELETE") rows = rows.filter((one) => one.id !== id);
    if (path.endsWith("/restore"))
      rows = rows.map((one) => (one.id === id ? { ...one, deleted: false } : one));
    const answer = { data_dir: "/data/gptcode", total: 9e6, log: 1e6, free: 5e11 };
    return Promise.resolve(new Response(JSON.stringify({ ...answer, conversations: rows })));
  });
  render(
    <Tooltip.Provider>
      <StorageDialog onClose={() => {}} />
    </Tooltip.Provider>,
  );
});

afterEach(cleanup);

const button = (name: string) => screen.getByRole("button", { name });
const confirm = (title: string) =>
  fireEvent.click(
    within(screen.getByRole("dialog", { name: title })).getByRole("button", {
      name: words.remove,
    }),
  );

it("tells where everything lies and what each conversation takes", async () => {
  expect(await screen.findByText("/data/gptcode")).toBeTruthy();
  expect(screen.getByText(words.use("9 MB", "500 GB"))).toBeTruthy();
  const [first, second] = screen.getAllByRole("listitem");
  expect(first?.textContent).toBe("big Files 4 MB · Earlier versions 1 MB5 MB");
  expect(second?.textContent).toContain(words.deleted);
  expect(screen.getByText(words.inPlace)).toBeTruthy();
  expect(screen.getByText(words.unknown("stray"))).toBeTruthy();
  // Only what is in the bin can be restored or go.
  expect(screen.getAllByRole("button", { name: /^Delete for good/ })).toHaveLength(2);
});

it("deletes for good after asking, and not without", async () => {
  fireEvent.click(await screen.findByRole("button", { name: words.removeLabel("old") }));
  expect(sent).toEqual([]);
  confirm(words.removeTitle);
  await vi.waitUntil(() => screen.queryByText("old") === null);
  expect(sent).toEqual(["DELETE conversations/old/forever"]);
});

it("restores", async () => {
  fireEvent.click(await screen.findByRole("button", { name: words.restoreLabel("old") }));
  await vi.waitUntil(() => screen.queryAllByText(words.deleted).length === 1);
  expect(sent).toEqual(["POST conversations/old/restore"]);
});

it("empties the bin; what cannot go keeps nothing else", async () => {
  await screen.findByText("old");
  busy = ["old"];
  fireEvent.click(button(words.empty(2)));
  confirm(words.emptyTitle);
  await vi.waitUntil(() => screen.queryByText("older") === null);
  expect(sent).toEqual(["DELETE conversations/old/forever", "DELETE conversations/older/forever"]);
  expect(screen.getByText("old")).toBeTruthy();
});
