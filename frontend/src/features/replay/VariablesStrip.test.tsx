import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { en } from "../../i18n/en";
import type { KernelInfo, Transcript } from "../../protocol/generated";
import { TipProvider } from "../../ui/Tip";
import { VariablesStrip, variablesAreGone } from "./VariablesStrip";

const cell: Transcript["turns"][number]["parts"][number] = {
  type: "cell",
  cell_id: "x",
  code: "a = 1",
  origin: "person",
  status: "ok",
  outputs: [],
  files: { added: [], changed: [], removed: [] },
  clear_pending: false,
};

function transcript(kernel: Partial<KernelInfo>, fields: Partial<Transcript> = {}): Transcript {
  return {
    id: "c",
    seq: 1,
    title: "",
    pinned: false,
    deleted: false,
    created_at: "",
    updated_at: "",
    kernel: { state: "idle", sandbox: "none", network: true, ...kernel },
    turns: [{ prompt: "", attachments: [], parts: [cell], status: "completed" }],
    ...fields,
  };
}

const draw = (shown: Transcript, restore: () => void = () => {}) =>
  render(
    <TipProvider>
      <VariablesStrip transcript={shown} onRestore={restore} />
    </TipProvider>,
  );

afterEach(cleanup);

it.each([
  [{ state: "parked" }, true],
  [{ state: "idle", used: false }, true],
  [{ state: "dead" }, true],
  [{ state: "idle", used: true }, false],
  [{ state: "busy", used: false }, false],
  [{ state: "starting" }, false],
] as const)("knows whether variables are gone: %o", (kernel, gone) => {
  expect(variablesAreGone(transcript(kernel))).toBe(gone);
});

it("says nothing where nothing ever ran", () => {
  expect(variablesAreGone(transcript({}, { turns: [] }))).toBe(false);
});

it("offers to bring them back, until it is closed", () => {
  let asked = 0;
  draw(transcript({ used: false }), () => {
    asked += 1;
  });
  fireEvent.click(screen.getByRole("button", { name: en.replay.restore }));
  expect(asked).toBe(1);
  fireEvent.click(screen.getByRole("button", { name: en.common.dismiss }));
  expect(screen.queryByText(en.replay.gone)).toBeNull();
});

it("shows how far it is", () => {
  draw(
    transcript(
      { used: false },
      {
        replay: {
          type: "replay_progress",
          replay_id: "r",
          purpose: "restore",
          done: 2,
          total: 5,
        },
      },
    ),
  );
  expect(screen.getByText(en.replay.restoring(2, 5))).toBeTruthy();
});
