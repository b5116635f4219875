import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import { TipProvider } from "../../ui/Tip";
import { Prompt } from "./Prompt";

const draw = (text: string, ask: (text: string) => Promise<void> = () => Promise.resolve()) =>
  render(
    <TipProvider>
      <Prompt
        text={text}
        attachments={[]}
        conversationId="c"
        id={text.slice(0, 9)}
        fork={{ conversation: "c", turn: "t" }}
        onAskAnew={ask}
      />
    </TipProvider>,
  );

// The list of conversations never comes: a question stands without its branches.
beforeEach(() => void vi.stubGlobal("fetch", () => new Promise(() => {})));
afterEach(cleanup);

it("folds a long question, and opens it", () => {
  const { container } = draw("line\n".repeat(40));
  expect(container.querySelector(".prompt-clamp")).not.toBeNull();
  fireEvent.click(screen.getByRole("button", { name: en.chat.wholePrompt }));
  expect(container.querySelector(".prompt-clamp")).toBeNull();
});

it("can be asked in other words, once, and left as it is", async () => {
  const asked: string[] = [];
  const refuse = (text: string) => {
    asked.push(text);
    return Promise.reject(new Error("busy"));
  };
  draw("why?", refuse);
  fireEvent.click(screen.getByRole("button", { name: en.branch.edit }));
  const field = screen.getByRole("textbox", { name: en.branch.edit });
  fireEvent.change(field, { target: { value: "why not?" } });
  fireEvent.keyDown(field, { key: "Enter" });
  fireEvent.keyDown(field, { key: "Enter" });
  expect(asked).toEqual(["why not?"]);
  await vi.waitUntil(
    () => !screen.getByRole<HTMLButtonElement>("button", { name: en.branch.ask }).disabled,
  );
  expect(screen.getByRole<HTMLTextAreaElement>("textbox").value).toBe("why not?");
  fireEvent.keyDown(field, { key: "Escape" });
  expect(screen.getByText("why?")).toBeTruthy();
});

it("leaves a short one whole", () => {
  draw("why?");
  expect(screen.queryByRole("button", { name: en.chat.wholePrompt })).toBeNull();
});

it("shows attached pictures, and a chip where one cannot be drawn", () => {
  const { container } = render(
    <TipProvider>
      <Prompt
        text="?"
        attachments={[{ path: "a 1.png" }, { path: "b.csv" }, { path: "c.svg" }]}
        conversationId="c"
        id="p"
        fork={{ conversation: "c", turn: "t" }}
        onAskAnew={() => Promise.resolve()}
      />
    </TipProvider>,
  );
  const [image, ...more] = container.querySelectorAll("img");
  expect(more).toEqual([]);
  expect(image?.getAttribute("src")).toMatch(/conversations\/c\/files\/a%201\.png$/);
  fireEvent.error(image as HTMLImageElement);
  expect(container.querySelector("img")).toBeNull();
  expect(screen.getByRole("link", { name: en.chat.download("a 1.png") })).toBeTruthy();
});
