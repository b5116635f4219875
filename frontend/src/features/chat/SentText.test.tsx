import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { en } from "../../i18n/en";
import { SentText } from "./SentText";

afterEach(cleanup);

const base64 = "QUJD".repeat(500);
const text = `{"a": "data:image/png;base64,${base64}", "b": "data:image/svg+xml;base64,${base64}"}`;

it("draws a picture, folds its base64, and shows all of it when asked", () => {
  const { container } = render(<SentText text={text} drawn />);
  expect(screen.getByRole("img", { name: en.sent.picture }).getAttribute("src")).toBe(
    `data:image/png;base64,${base64}`,
  );
  expect(container.textContent?.length).toBeLessThan(text.length - 1900);
  fireEvent.click(screen.getByRole("button", { name: en.sent.more(1976) }));
  expect(container.textContent?.replace(en.sent.fold, "")).toBe(text);
});

it("leaves text without pictures as it is, and draws none where it is not asked to", () => {
  const plain = render(<SentText text="x" drawn />);
  expect(plain.container.innerHTML).toBe("<span>x</span>");
  plain.unmount();
  render(<SentText text={text} drawn={false} />);
  expect(screen.queryByRole("img")).toBeNull();
});
