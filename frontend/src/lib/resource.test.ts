import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api";
import { Resource } from "./resource";

let asked: string[];
let answer: (key: string) => Promise<string>;
let resource: Resource<string, string>;

beforeEach(() => {
  asked = [];
  answer = (key) => Promise.resolve(`${key} ${asked.length}`);
  resource = new Resource((key) => {
    asked.push(key);
    return answer(key);
  });
});

describe("Resource", () => {
  it("reads once, however many look", async () => {
    await Promise.all([resource.load("k"), resource.load("k")]);
    await resource.load("k");
    expect([asked, resource.get("k").data]).toEqual([["k"], "k 1"]);
  });

  it("reads again what is watched and forgets the rest", async () => {
    await resource.load("watched");
    await resource.load("other");
    resource.subscribe("watched", () => {});
    resource.invalidate();
    expect(asked).toEqual(["watched", "other", "watched"]);
    expect(resource.get("other")).toEqual({ at: 0 });
  });

  it("keeps what it has when it cannot be read again, and says so", async () => {
    await resource.load("k");
    resource.subscribe("k", () => {});
    const error = new ApiError(500, { code: "internal", message: "no", retryable: false });
    answer = () => Promise.reject(error);
    await new Promise<void>((resolve) => {
      resource.subscribe("k", resolve);
      resource.invalidate("k");
    });
    expect(resource.get("k")).toMatchObject({ data: "k 1", error });
    answer = () => Promise.resolve("back");
    await new Promise<void>((resolve) => {
      resource.subscribe("k", resolve);
      resource.retryFailed();
    });
    expect(resource.get("k").error).toBeUndefined();
    expect(resource.get("k").data).toBe("back");
  });

  it("reads anew what changed while it was read", async () => {
    await resource.load("k");
    resource.subscribe("k", () => {});
    const late: ((text: string) => void)[] = [];
    answer = () => new Promise((resolve) => late.push(resolve));
    resource.invalidate("k");
    resource.change("k", () => "changed");
    late[0]?.("from before the change");
    late[1]?.("from after it");
    await vi.waitFor(() => expect(resource.get("k").data).not.toBe("changed"));
    expect(resource.get("k").data).toBe("from after it");
    resource.change("k", () => "changed again");
    expect(asked).toHaveLength(3);
  });

  it("drops an answer from before it was forgotten", async () => {
    const late: ((text: string) => void)[] = [];
    answer = () => new Promise((resolve) => late.push(resolve));
    const before = resource.load("k");
    resource.invalidate("k");
    const after = resource.load("k");
    late[0]?.("old");
    await before;
    expect(resource.get("k").data).toBeUndefined();
    late[1]?.("new");
    await after;
    expect(resource.get("k").data).toBe("new");
  });

  it("drops an answer that a later reading has overtaken", async () => {
    const late: ((text: string) => void)[] = [];
    answer = () => new Promise((resolve) => late.push(resolve));
    resource.subscribe("k", () => {});
    resource.invalidate("k");
    const second = new Promise<void>((resolve) => {
      resource.subscribe("k", resolve);
    });
    resource.invalidate("k");
    late[1]?.("new");
    late[0]?.("old");
    await second;
    expect(resource.get("k").data).toBe("new");
  });
});
