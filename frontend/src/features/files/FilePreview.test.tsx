import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import type { Profile } from "../../protocol/generated";
import { TipProvider } from "../../ui/Tip";
import { FileRow } from "./FileRow";

/** The dialog is loaded when it is first asked for. */
const LOADED = { timeout: 4_000 };
const TABLE: Profile = {
  kind: "csv",
  size: 1234,
  rows: 31,
  rows_estimated: true,
  width: 2,
  columns: [
    { name: "地区", type: "text", missing: 0, examples: ["北京"] },
    { name: "GDP", type: "number", missing: 3, examples: [], min: "1.5", max: "99" },
  ],
  sample: [["北京", "41610.9"]],
  facts: { delimiter: "comma", encoding: "gb18030" },
  parts: [],
  around: ["来源"],
  notes: ["a note"],
  sampled: true,
};
const BROKEN: Profile = {
  ...TABLE,
  kind: "parquet",
  columns: [],
  sample: [],
  broken: "it is not a valid Parquet file",
};

async function preview(profile: Profile) {
  const fetched = vi
    .spyOn(globalThis, "fetch")
    .mockResolvedValue(new Response(JSON.stringify(profile)));
  const file = { path: "数据 1.csv", size: 1234, modified: 1 };
  render(
    <TipProvider>
      <FileRow file={file} conversationId="c" />
    </TipProvider>,
  );
  fireEvent.click(screen.getByRole("button", { name: /数据 1\.csv 1\.2 KB/ }));
  const dialog = within(await screen.findByRole("dialog", { name: "数据 1.csv" }, LOADED));
  return { dialog, fetched };
}

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

it("shows columns, first rows and notes of a table", async () => {
  const { dialog, fetched } = await preview(TABLE);
  const columns = within(await dialog.findByRole("region", { name: en.preview.columns }));
  expect(columns.getByText("1.5 – 99")).toBeTruthy();
  const rows = within(dialog.getByRole("region", { name: en.preview.firstRows }));
  expect(rows.getByText("41610.9")).toBeTruthy();
  expect(dialog.getByText(/about 31 rows · 2 columns · Delimiter: comma/)).toBeTruthy();
  expect(dialog.getByText("a note")).toBeTruthy();
  expect(fetched.mock.calls[0]?.[0]).toMatch(/files\/%E6%95%B0%E6%8D%AE%201.csv\?preview$/);
});

it("says what is wrong with a broken file", async () => {
  const { dialog } = await preview(BROKEN);
  expect(await dialog.findByText(BROKEN.broken ?? "")).toBeTruthy();
});
