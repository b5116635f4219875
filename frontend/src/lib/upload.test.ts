import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "./api";
import { Aborted, upload } from "./upload";
import { createUploads, type UploadItem } from "./uploads";

/** An XMLHttpRequest that the test answers. */
class FakeRequest extends EventTarget {
  static sent: FakeRequest[] = [];
  readonly upload = new EventTarget();
  method = "";
  url = "";
  status = 0;
  responseText = "";
  body: unknown;

  open(method: string, url: string): void {
    this.method = method;
    this.url = url;
  }

  setRequestHeader(): void {}

  send(body: unknown): void {
    this.body = body;
    FakeRequest.sent.push(this);
  }

  abort(): void {
    this.dispatchEvent(new Event("abort"));
  }

  progress(loaded: number, total: number): void {
    this.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded, total }));
  }

  answer(status: number, body: unknown): void {
    this.status = status;
    this.responseText = JSON.stringify(body);
    this.dispatchEvent(new Event("load"));
  }
}

const file = (name: string) => new File(["12345"], name);

beforeEach(() => {
  FakeRequest.sent = [];
  vi.stubGlobal("XMLHttpRequest", FakeRequest);
});

describe("upload", () => {
  it("puts the file, tells how far it is and where it went", async () => {
    const shares: number[] = [];
    const { done } = upload("c 1", file("月度 报告.csv"), (share) => shares.push(share));
    const [request] = FakeRequest.sent;
    expect(request?.method).toBe("PUT");
    expect(request?.url).toMatch(
      /api\/conversations\/c%201\/files\/%E6%9C%88%E5%BA%A6%20%E6%8A%A5%E5%91%8A\.csv$/,
    );
    request?.progress(1, 4);
    request?.progress(4, 4);
    request?.answer(201, { path: "a (2).csv", size: 5, modified: 1 });
    expect(await done).toEqual({ path: "a (2).csv", size: 5, modified: 1 });
    expect(shares).toEqual([0.25, 1]);
  });

  it("fails in the server's words", async () => {
    const { done } = upload("c", file("a"), () => {});
    FakeRequest.sent[0]?.answer(507, {
      error: { code: "no_room", message: "No room.", retryable: false },
    });
    await expect(done).rejects.toEqual(
      new ApiError(507, { code: "no_room", message: "No room.", retryable: false }),
    );
  });

  it("can be stopped", async () => {
    const task = upload("c", file("a"), () => {});
    task.abort();
    await expect(task.done).rejects.toBeInstanceOf(Aborted);
  });
});

describe("uploads", () => {
  const names = (items: UploadItem[]) => items.map(({ name, state }) => [name, state]);

  it("sends two at once and the rest after them", async () => {
    const { useUploads, start } = createUploads();
    start("c", ["a", "b", "x"].map(file), true);
    expect(FakeRequest.sent).toHaveLength(2);
    FakeRequest.sent[0]?.answer(201, { path: "a" });
    await vi.waitFor(() => expect(FakeRequest.sent).toHaveLength(3));
    expect(names(useUploads.getState().items)).toEqual([
      ["a", "done"],
      ["b", "sending"],
      ["x", "sending"],
    ]);
  });

  it("settles the draft when all have arrived, or one has failed", async () => {
    const { start, draftSettled } = createUploads();
    start("c", [file("a")], true);
    const first = draftSettled("c");
    FakeRequest.sent[0]?.answer(500, undefined);
    expect(await first).toBe(false);
    expect(await draftSettled("another")).toBe(true);
  });

  it("takes what a message took out of the draft, not what came after", async () => {
    const { useUploads, start, draftFiles, clearSent, draftSettled } = createUploads();
    start("c", [file("a")], true);
    FakeRequest.sent[0]?.answer(201, { path: "a" });
    await draftSettled("c");
    const sent = draftFiles("c");
    start("c", [file("b")], true);
    clearSent(sent);
    expect(sent.map(({ path }) => path)).toEqual(["a"]);
    expect(useUploads.getState().items.map(({ name }) => name)).toEqual(["b"]);
  });

  it("sends a failed one again", async () => {
    const { useUploads, start, draftSettled, again } = createUploads();
    start("c", [file("a")], true);
    FakeRequest.sent[0]?.answer(500, undefined);
    await draftSettled("c");
    again(useUploads.getState().items[0]?.id ?? "");
    FakeRequest.sent[1]?.answer(201, { path: "a" });
    expect(await draftSettled("c")).toBe(true);
  });

  it("forgets what was stopped, and a file that is only for the workspace once it is there", async () => {
    const { useUploads, start, remove } = createUploads();
    start("c", [file("a")], true);
    start("c", [file("b")], false);
    remove(useUploads.getState().items[0]?.id ?? "");
    FakeRequest.sent[1]?.answer(201, { path: "b" });
    await vi.waitFor(() => expect(useUploads.getState().items).toEqual([]));
  });
});
