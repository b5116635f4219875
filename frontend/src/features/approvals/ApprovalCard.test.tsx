import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import { TipProvider } from "../../ui/Tip";
import { ApprovalCard } from "./ApprovalCard";

const REASONS = [
  { line: 2, text: "as the server says it", kind: "network", what: "requests" },
  { line: 3, text: "of an unknown kind", kind: "later" },
];

function draw(code?: string) {
  const sent: unknown[] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    sent.push([new URL(url).pathname, JSON.parse(init.body as string)]);
    return Promise.resolve(new Response("{}", { status: 202 }));
  });
  render(
    <TipProvider>
      <ApprovalCard
        conversationId="c"
        id="x"
        reasons={REASONS}
        {...(code !== undefined && { code })}
      />
    </TipProvider>,
  );
  return sent;
}

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

afterEach(cleanup);

it("says why, a kind that it does not know in the server's words", () => {
  draw("a");
  expect(screen.getByText(en.approval.kinds.network)).toBeTruthy();
  expect(screen.getByText("of an unknown kind")).toBeTruthy();
});

it("takes the focus on no button", () => {
  draw("a");
  expect(document.activeElement?.getAttribute("role")).toBe("group");
});

it("sends the changed code and what is allowed", async () => {
  const sent = draw("a");
  press(en.approval.edit);
  fireEvent.change(screen.getByLabelText(en.approval.editLabel), { target: { value: "b" } });
  fireEvent.click(screen.getByRole("checkbox"));
  press(en.approval.runChanged);
  await vi.waitUntil(() => sent.length > 0);
  expect(sent).toEqual([
    ["/api/conversations/c/cells/x/approval", { run: true, remember: true, code: "b" }],
  ]);
});

it("cannot change what a tool is asked, and refuses", async () => {
  const sent = draw();
  expect(screen.queryByRole("button", { name: en.approval.edit })).toBeNull();
  press(en.approval.refuse);
  await vi.waitUntil(() => sent.length > 0);
  expect(sent).toEqual([["/api/conversations/c/cells/x/approval", { run: false }]]);
});
