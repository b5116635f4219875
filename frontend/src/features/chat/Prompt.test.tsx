import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { en } from "../../i18n/en";
import { TipProvider } from "../../ui/Tip";
import { Prompt } from "./Prompt";

const draw = (text: string) =>
  render(
    <TipProvider>
      <Prompt text={text} attachments={[]} conversationId="c" id={text.slice(0, 9)} />
    </TipProvider>,
  );

afterEach(cleanup);

it("folds a long question, and opens it", () => {
  const { container } = draw("line\n".repeat(40));
  expect(container.querySelector(".prompt-clamp")).not.toBeNull();
  fireEvent.click(screen.getByRole("button", { name: en.chat.wholePrompt }));
  expect(container.querySelector(".prompt-clamp")).toBeNull();
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
