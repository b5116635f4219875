import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import type { SandboxInfo } from "../../lib/api";
import { settings } from "../../lib/lists";
import type { KernelInfo } from "../../protocol/generated";
import { TipProvider } from "../../ui/Tip";
import { SandboxShield } from "./SandboxShield";

const LOADED = { timeout: 4_000 };
const CAGED: SandboxInfo = {
  level: "bwrap",
  wanted: "auto",
  asks: false,
  agreed: false,
  why: null,
  mend: null,
};
const NONE: SandboxInfo = {
  ...CAGED,
  level: "none",
  asks: true,
  why: "bubblewrap is not installed.",
  mend: "sudo apt-get install bubblewrap",
};
const sent: unknown[] = [];
let told: SandboxInfo = CAGED;
const agreed = vi.fn();

function show(sandbox: SandboxInfo, kernel?: KernelInfo) {
  told = sandbox;
  render(
    <TipProvider>
      <SandboxShield kernel={kernel} onAgreed={agreed} />
    </TipProvider>,
  );
}

beforeEach(() => {
  sent.splice(0);
  agreed.mockReset();
  settings.invalidate();
  vi.spyOn(globalThis, "fetch").mockImplementation((_, init) => {
    if (init?.method === "PATCH") {
      sent.push(JSON.parse(init.body as string));
      told = { ...told, asks: false, agreed: true };
    }
    return Promise.resolve(new Response(JSON.stringify({ sandbox: told })));
  });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe("the shield", () => {
  it("names the level and explains it on a click", async () => {
    show(CAGED);
    fireEvent.click(await screen.findByRole("button", { name: en.sandbox.short.bwrap }));
    const dialog = within(
      await screen.findByRole("dialog", { name: en.sandbox.bwrap.title }, LOADED),
    );
    for (const text of [...en.sandbox.bwrap.can, ...en.sandbox.bwrap.cannot]) {
      expect(dialog.getByText(text)).toBeTruthy();
    }
    expect(dialog.queryByRole("button", { name: en.sandbox.agree })).toBeNull();
  });

  it("shows the level of the kernel that runs, not of the next", async () => {
    show(CAGED, { state: "busy", sandbox: "none", network: true });
    expect(await screen.findByRole("button", { name: en.sandbox.short.none })).toBeTruthy();
  });

  it("asks once where there is no sandbox, and sends the answer", async () => {
    show(NONE);
    const dialog = within(await screen.findByRole("dialog", { name: en.sandbox.question }, LOADED));
    expect(dialog.getByText("sudo apt-get install bubblewrap")).toBeTruthy();
    fireEvent.click(dialog.getByRole("button", { name: en.sandbox.agree }));
    await vi.waitFor(() => expect(agreed).toHaveBeenCalledOnce());
    expect(sent).toEqual([{ sandbox_consent: true }]);
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("does not ask again after No, until it is clicked", async () => {
    show(NONE);
    const dialog = within(await screen.findByRole("dialog", { name: en.sandbox.question }, LOADED));
    fireEvent.click(dialog.getByRole("button", { name: en.sandbox.notNow }));
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(sent).toEqual([]);
    fireEvent.click(screen.getByRole("button", { name: en.sandbox.asks }));
    expect(await screen.findByRole("dialog", { name: en.sandbox.question })).toBeTruthy();
  });
});
