import { beforeEach, expect, it } from "vitest";
import { uploads } from "../../lib/uploads";
import { named } from "./pasted";

const image = (name: string, type = "image/png") => new File(["x"], name, { type });
const names = (files: File[]) => files.map(({ name }) => name);

beforeEach(() => uploads.useUploads.setState({ items: [] }));

it("names nameless pictures one after the other, and keeps other names", () => {
  const files = [image("image.png"), image("chart.png"), image("image.png")];
  expect(names(named(files, undefined))).toEqual(["pasted-1.png", "chart.png", "pasted-2.png"]);
  expect(names(named([image("image.jpeg", "image/jpeg")], "c"))).toEqual(["pasted-1.jpeg"]);
  expect(names(named([image("image.png", "text/plain")], "c"))).toEqual(["image.png"]);
});

it("goes on after those of the same conversation", () => {
  const item = { id: "u", name: "pasted-1.png", size: 1, share: 0, state: "waiting" } as const;
  uploads.useUploads.setState({ items: [{ ...item, conversationId: "c", attached: true }] });
  expect(names(named([image("image.png")], "c"))).toEqual(["pasted-2.png"]);
  expect(names(named([image("image.png")], "other"))).toEqual(["pasted-1.png"]);
});
