import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { en } from "../../i18n/en";
import type { ToolPart } from "../../protocol/generated";
import { ToolCall, toolName } from "./ToolCall";

const PART: ToolPart = {
  type: "tool",
  call_id: "c",
  server: "my peer",
  name: "my_peer__add_all",
  arguments: '{"a":[1,2]}',
  status: "ok",
  content: '{"sum": 3}',
};

afterEach(cleanup);

it("shows the tool by its own name, its server, and both ways of the call", () => {
  render(<ToolCall part={PART} />);
  expect(screen.getByText(en.chat.tool("add_all"))).toBeTruthy();
  expect(screen.getByText(en.chat.toolOf("my peer"))).toBeTruthy();
  const [said, got] = [en.chat.toolArguments, en.chat.toolResult].map((name) =>
    screen.getByRole("region", { name, hidden: true }),
  );
  expect(said?.textContent).toContain('"a": [\n');
  expect(got?.textContent).toContain('"sum": 3');
});

it("has no result while it runs, and says that it failed", () => {
  const { rerender } = render(<ToolCall part={{ ...PART, status: "running", content: "" }} />);
  expect(screen.queryByText(en.chat.toolResult)).toBeNull();
  expect(screen.getByText(en.chat.toolState.running)).toBeTruthy();
  rerender(<ToolCall part={{ ...PART, status: "error", content: "no <b>way</b>" }} />);
  expect(screen.getByText(en.chat.toolState.error)).toBeTruthy();
  expect(screen.getByText("no <b>way</b>")).toBeTruthy();
});

it("leaves the name of our own tools alone", () => {
  expect(toolName({ name: "read__output" })).toBe("read__output");
  expect(toolName({ server: "s", name: "s__a__b" })).toBe("a__b");
});
