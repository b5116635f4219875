import { expect, it, vi } from "vitest";
import { api } from "./api";

const answers = (response: () => Response) => vi.stubGlobal("fetch", async () => response());

it("takes an answer that broke off for none", async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"id": "c", "tur'));
      controller.error(new TypeError("network error"));
    },
  });
  answers(() => new Response(body));
  await expect(api.transcript("c")).rejects.toMatchObject({ code: "unreachable", status: 0 });
});

it("takes nothing but JSON for an answer", async () => {
  answers(() => new Response("<html>a proxy's page</html>"));
  await expect(api.transcript("c")).rejects.toMatchObject({ code: "unexpected" });
});

it("takes an empty body for an answer without words", async () => {
  answers(() => new Response(null, { status: 204 }));
  await expect(api.remove("c")).resolves.toBeUndefined();
});
