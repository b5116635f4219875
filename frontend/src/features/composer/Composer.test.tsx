import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { createRef } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { en } from "../../i18n/en";
import { changeDraft, draftOf, NEW, useDrafts } from "../../lib/drafts";
import { TipProvider } from "../../ui/Tip";
import { Composer } from "./Composer";

const requests: { path: string; body: unknown }[] = [];
let answer: () => Response;
const stop = vi.fn();
const files = vi.fn();

interface Drawn {
  running?: boolean;
  id?: string | undefined;
  ensure?: () => Promise<string>;
  discard?: (id: string) => Promise<string>;
}

function draw(props: Drawn = {}) {
  const { running = false, ensure = () => Promise.resolve("c") } = props;
  return render(
    <TipProvider>
      <Composer
        area={createRef<HTMLTextAreaElement>()}
        conversationId={"id" in props ? props.id : "c"}
        running={running}
        model="m"
        ensure={ensure}
        discard={props.discard ?? Promise.resolve.bind(Promise)}
        onSent={() => {}}
        onStop={stop}
        onFiles={files}
      />
    </TipProvider>,
  );
}

const box = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: en.composer.label });
const sendButton = () => screen.getByRole("button", { name: en.composer.send });
const type = (text: string) => fireEvent.change(box(), { target: { value: text } });

beforeEach(() => {
  requests.length = 0;
  stop.mockReset();
  files.mockReset();
  useDrafts.setState({ drafts: {} });
  answer = () => new Response('{"turn_id": "t"}', { status: 202 });
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const body: unknown = JSON.parse(init.body as string);
    requests.push({ path: new URL(url).pathname, body });
    return Promise.resolve(answer());
  });
});

afterEach(cleanup);

describe("Enter", () => {
  it("sends the question with the model, and empties the box", async () => {
    draw();
    type("  why?  ");
    fireEvent.keyDown(box(), { key: "Enter" });
    await waitFor(() => expect(box().value).toBe(""));
    expect(requests).toEqual([
      { path: "/api/conversations/c/turns", body: { prompt: "why?", model: "m" } },
    ]);
  });

  it("breaks the line with Shift", () => {
    draw();
    type("one");
    expect(fireEvent.keyDown(box(), { key: "Enter", shiftKey: true })).toBe(true);
    expect(requests).toEqual([]);
  });

  it("belongs to the input method while it composes", () => {
    draw();
    type("ni hao");
    fireEvent.keyDown(box(), { key: "Enter", isComposing: true });
    fireEvent.keyDown(box(), { key: "Enter", keyCode: 229 });
    expect(requests).toEqual([]);
  });

  it("sends nothing when there is nothing", () => {
    draw();
    type("   ");
    fireEvent.keyDown(box(), { key: "Enter" });
    expect(requests).toEqual([]);
  });

  it("keeps the text when it could not be sent", async () => {
    answer = () =>
      new Response('{"error": {"code": "busy", "message": "One runs.", "retryable": false}}', {
        status: 409,
      });
    draw();
    type("why?");
    fireEvent.keyDown(box(), { key: "Enter" });
    await waitFor(() => expect(requests).toHaveLength(1));
    await waitFor(() => expect(sendButton().getAttribute("aria-disabled")).toBe("false"));
    expect(box().value).toBe("why?");
  });
});

describe("while it is being sent", () => {
  const later = () => {
    let resolve: (response: Response) => void = () => {};
    const response = new Promise<Response>((take) => {
      resolve = take;
    });
    vi.stubGlobal("fetch", () => response);
    return () => resolve(new Response('{"turn_id": "t"}', { status: 202 }));
  };

  it("keeps what is typed after it", async () => {
    const arrive = later();
    draw();
    type("why?");
    fireEvent.keyDown(box(), { key: "Enter" });
    await waitFor(() => expect(draftOf("c").sending).toBe(true));
    type("why? And how");
    arrive();
    await waitFor(() => expect(box().value).toBe(" And how"));
  });

  it("is not sent twice by who goes away and comes back", async () => {
    const arrive = later();
    draw();
    type("why?");
    fireEvent.keyDown(box(), { key: "Enter" });
    cleanup();
    draw();
    expect(sendButton().getAttribute("aria-disabled")).toBe("true");
    arrive();
    await waitFor(() => expect(box().value).toBe(""));
  });
});

describe("a conversation made for a message", () => {
  it.each([
    [409, ["made"]],
    [0, []],
  ])("that was refused with %s goes again", async (status, gone) => {
    vi.stubGlobal("fetch", () =>
      status === 0
        ? Promise.reject(new TypeError("offline"))
        : Promise.resolve(new Response("{}", { status })),
    );
    const discard = vi.fn((_id: string) => Promise.resolve(NEW));
    draw({ id: undefined, ensure: () => Promise.resolve("made"), discard });
    type("why?");
    fireEvent.keyDown(box(), { key: "Enter" });
    await waitFor(() => expect(draftOf(gone.length > 0 ? NEW : "made").sending).toBe(false));
    expect(discard.mock.calls).toEqual(gone.map((id) => [id]));
  });
});

describe("while an answer runs", () => {
  it("offers to stop instead of to send, and Escape stops", () => {
    draw({ running: true });
    type("next");
    fireEvent.keyDown(box(), { key: "Enter" });
    expect(requests).toEqual([]);
    expect(screen.queryByRole("button", { name: en.composer.send })).toBeNull();
    fireEvent.keyDown(box(), { key: "Escape" });
    fireEvent.click(screen.getByRole("button", { name: en.composer.stop }));
    expect(stop).toHaveBeenCalledTimes(2);
  });
});

describe("Python of one's own", () => {
  it("is run as it was typed", async () => {
    draw();
    fireEvent.click(screen.getByRole("button", { name: en.composer.codeMode }));
    type("for i in range(2):\n    i\n");
    fireEvent.keyDown(box(), { key: "Enter" });
    await waitFor(() => expect(box().value).toBe(""));
    expect(requests).toEqual([
      { path: "/api/conversations/c/cells", body: { code: "for i in range(2):\n    i\n" } },
    ]);
  });
});

describe("files", () => {
  it("are taken from the clipboard, text is not", () => {
    draw();
    const image = new File(["x"], "image.png");
    fireEvent.paste(box(), { clipboardData: { files: [image], types: ["Files"] } });
    fireEvent.paste(box(), { clipboardData: { files: [image], types: ["text/plain", "Files"] } });
    expect(files.mock.calls).toEqual([[[image]]]);
  });

  it("are taken from the picker", () => {
    draw();
    const picked = new File(["x"], "data.csv");
    fireEvent.change(screen.getByTestId("attach"), { target: { files: [picked] } });
    expect(files.mock.calls).toEqual([[[picked]]]);
  });
});

it("keeps a draft for each conversation", () => {
  changeDraft("c", { text: "for c" });
  changeDraft("other", { text: "for another" });
  draw();
  expect(box().value).toBe("for c");
});
