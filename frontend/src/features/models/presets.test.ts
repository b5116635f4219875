import { expect, it } from "vitest";
import type { ProviderInfo } from "../../lib/api";
import { freeId, hostOf, namesIn } from "./presets";

const taken = [{ id: "openai" }, { id: "openai-2" }] as ProviderInfo[];

it("makes ids that nobody has", () => {
  expect(freeId("OpenAI", taken)).toBe("openai-3");
  expect(freeId("My  Team's", taken)).toBe("my-team-s");
  expect(freeId("公司", taken)).toBe("provider");
  expect(freeId("demo", taken)).toBe("demo-2");
});

it("reads names however they are listed", () => {
  expect(namesIn(" a, b\nc，a\n\n")).toEqual(["a", "b", "c"]);
});

it("names the host that is asked", () => {
  expect(hostOf("https://api.example.com/v1")).toBe("api.example.com");
  expect(hostOf("half")).toBe("half");
});
