import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api";
import { beginSession, codeIn, useSession } from "./session";

describe("codeIn", () => {
  it.each([
    ["http://127.0.0.1:8080/#code=abc-123", "abc-123"],
    ["  #code=a%2Bb ", "a+b"],
    ["#code=50%", "50%"],
    ["abc-123", "abc-123"],
    ["", undefined],
    ["two words", undefined],
    ["http://127.0.0.1:8080/", undefined],
  ])("%s", (text, code) => {
    expect(codeIn(text)).toBe(code);
  });
});

describe("beginSession", () => {
  const posts: unknown[] = [];

  beforeEach(() => {
    posts.length = 0;
    useSession.setState({ state: "unknown" });
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      posts.push([init.method, new URL(url).pathname, init.body]);
      return Promise.resolve(new Response("{}", { status: 200 }));
    });
  });

  it("hands in the code and drops it from the address", async () => {
    location.hash = "#code=once";
    await beginSession(() => Promise.resolve());
    expect(posts).toEqual([["POST", "/api/session", '{"code":"once"}']]);
    expect(location.hash).toBe("");
    expect(useSession.getState().state).toBe("in");
  });

  it("finds out that nobody is signed in", async () => {
    const unknown = new ApiError(401, { code: "unauthenticated", message: "", retryable: false });
    await beginSession(() => Promise.reject(unknown));
    expect(posts).toEqual([]);
    expect(useSession.getState().state).toBe("out");
  });

  it("lets an unreachable server be told of inside", async () => {
    await beginSession(() => Promise.reject(new Error("no")));
    expect(useSession.getState().state).toBe("in");
  });
});
