import { expect, it } from "vitest";
import { dropped } from "./drop";

function item(name: string, isDirectory: boolean) {
  return {
    kind: "file",
    webkitGetAsEntry: () => ({ name, isDirectory }),
    getAsFile: () => new File(["x"], name),
  };
}

it("tells files from folders, and leaves text alone", () => {
  const items = [item("a.csv", false), item("data", true), { kind: "string" }];
  const { files, folders } = dropped({ items } as unknown as DataTransfer);
  expect([files.map(({ name }) => name), folders]).toEqual([["a.csv"], ["data"]]);
});
