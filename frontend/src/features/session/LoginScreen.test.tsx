import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import { useSession } from "../../lib/session";
import { LoginScreen } from "./LoginScreen";

let status: number;

function enter(text: string): void {
  const field = screen.getByLabelText(en.login.label);
  fireEvent.change(field, { target: { value: text } });
  fireEvent.submit(field);
}

beforeEach(() => {
  status = 200;
  useSession.setState({ state: "out" });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}", { status })));
  render(<LoginScreen />);
});

afterEach(cleanup);

it("signs in with the link from the terminal", async () => {
  enter("http://127.0.0.1:8080/#code=abc");
  await vi.waitUntil(() => useSession.getState().state === "in");
});

it("says when the code is used up", async () => {
  status = 401;
  enter("abc");
  expect(await screen.findByText(en.login.refused)).toBeTruthy();
  expect(useSession.getState().state).toBe("out");
});

it("says when it is no code at all", () => {
  enter("what is this?");
  expect(screen.getByText(en.login.bad)).toBeTruthy();
});
