import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import type { SentRequest } from "../../lib/api";
import { TipProvider } from "../../ui/Tip";
import { SentAction } from "./SentAction";

/** The dialog is loaded when it is first asked for. */
const LOADED = { timeout: 4_000 };
const BODY = '{"model": "m", "messages": [{"role": "user", "content": "a\\nb \\\\n"}]}';
const FIRST: SentRequest = {
  request_id: "r1",
  url: "https://api.example.com/v1/chat/completions",
  body: BODY,
  at: "2026-03-01T08:00:00.000Z",
  bytes: 70,
  sha256: "ab12",
};
const SECOND: SentRequest = { request_id: "r2", url: "https://other.test/v1", body: "not JSON" };
const asked: string[] = [];

function answerWith(...requests: SentRequest[]) {
  vi.spyOn(globalThis, "fetch").mockImplementation((url) => {
    if (typeof url === "string") asked.push(new URL(url).pathname);
    return Promise.resolve(new Response(JSON.stringify({ requests })));
  });
}

async function open() {
  render(
    <TipProvider>
      <SentAction conversationId="c" turnId="t 1" />
    </TipProvider>,
  );
  fireEvent.click(screen.getByRole("button", { name: en.sent.action }));
  return within(await screen.findByRole("dialog", { name: en.sent.title }, LOADED));
}

beforeEach(() => asked.splice(0));
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe("what was sent", () => {
  it("shows a single request at once, readable and byte for byte", async () => {
    answerWith(FIRST);
    const dialog = await open();
    const readable = await dialog.findByRole("region", { name: en.sent.readable });
    expect(readable.textContent).toContain('"content": "a\nb \\\\n"');
    expect(dialog.getByText("70")).toBeTruthy();
    expect(dialog.getByText("ab12")).toBeTruthy();
    fireEvent.click(dialog.getByRole("button", { name: en.sent.raw }));
    expect(dialog.getByRole("region", { name: en.sent.raw }).textContent).toBe(BODY);
    expect(asked).toEqual(["/api/conversations/c/turns/t%201/requests"]);
  });

  it("lists several closed, and shows what is no JSON as it is", async () => {
    answerWith(FIRST, SECOND);
    const dialog = await open();
    const second = await dialog.findByRole("button", { name: /Request 2 other\.test/ });
    expect(second.getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(second);
    expect(dialog.getByText("not JSON")).toBeTruthy();
  });

  it("says so when nothing was sent, and reads again when it is opened again", async () => {
    answerWith();
    const dialog = await open();
    expect(await dialog.findByText(en.sent.none)).toBeTruthy();
    fireEvent.click(dialog.getByRole("button", { name: en.common.close }));
    answerWith(FIRST);
    fireEvent.click(screen.getByRole("button", { name: en.sent.action }));
    expect(await screen.findByText("ab12")).toBeTruthy();
  });
});
