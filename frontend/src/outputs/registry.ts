/**
 * What of an output is shown. An output offers itself as several MIME types; the first in the order
 * below that can be used is taken. Pictures cannot act, so they come first; HTML is shown only in
 * ways in which it cannot act either.
 */
import type { CellOutputValue } from "../protocol/generated";
import { type ImageType, imageSize, isBase64, type Size } from "./images";

export type Shown =
  | { kind: "stream"; name: "stdout" | "stderr"; text: string }
  | { kind: "error"; name: string; message: string; traceback: string }
  | { kind: "image"; type: ImageType; base64: string; alt: string; size: Size | null }
  | { kind: "svg"; source: string; alt: string }
  | { kind: "table"; html: string; text: string | null }
  | { kind: "html"; html: string; text: string | null }
  | { kind: "frame"; html: string }
  /** It needs scripts, which run only when the person says so. */
  | { kind: "active"; html: string; text: string | null }
  | { kind: "plotly"; figure: unknown }
  | { kind: "vega"; spec: unknown; lite: boolean }
  /** Its other half is a program in the kernel that nothing here speaks to. */
  | { kind: "widget"; text: string | null }
  | { kind: "markdown"; text: string }
  | { kind: "latex"; text: string }
  | { kind: "json"; value: unknown }
  | { kind: "text"; text: string }
  | { kind: "unknown"; type: string };

type Data = Readonly<Record<string, unknown>>;

interface Renderer {
  type: string | RegExp;
  /** Null when the content is not what its type says. */
  show: (content: unknown, data: Data, metadata: Data) => Shown | null;
}

/** Each release has a type of its own; a newer library draws them all. */
const PLOTLY = /^application\/vnd\.plotly\.v\d+\+json$/;
const VEGA = /^application\/vnd\.vega\.v\d+(?:\+|\.)json$/;
const VEGA_LITE = /^application\/vnd\.vegalite\.v\d+(?:\+|\.)json$/;

const RENDERERS: readonly Renderer[] = [
  image("image/png"),
  image("image/jpeg"),
  image("image/gif"),
  image("image/webp"),
  { type: PLOTLY, show: (figure) => ({ kind: "plotly", figure }) },
  { type: VEGA, show: (spec) => ({ kind: "vega", spec, lite: false }) },
  { type: VEGA_LITE, show: (spec) => ({ kind: "vega", spec, lite: true }) },
  { type: "image/svg+xml", show: showSvg },
  { type: "application/vnd.jupyter.widget-view+json", show: showWidget },
  { type: "text/html", show: showHtml },
  { type: "text/markdown", show: asText((text) => ({ kind: "markdown", text })) },
  { type: "text/latex", show: asText((text) => ({ kind: "latex", text })) },
  { type: "application/json", show: (value) => ({ kind: "json", value }) },
  { type: "text/plain", show: asText((text) => ({ kind: "text", text })) },
];

/** The best way to show an output. */
export function choose(output: CellOutputValue): Shown {
  switch (output.output_type) {
    case "stream":
      return { kind: "stream", name: output.name, text: textOf(output.text) ?? "" };
    case "error": {
      const { ename: name, evalue: message } = output;
      return { kind: "error", name, message, traceback: output.traceback.join("\n") };
    }
    case "display_data":
    case "execute_result":
      return chooseType(output.data, output.metadata);
    default:
      return output satisfies never;
  }
}

function chooseType(data: Data, metadata: Data): Shown {
  for (const { type: wanted, show } of RENDERERS) {
    const type =
      typeof wanted === "string" ? wanted : Object.keys(data).find((one) => wanted.test(one));
    if (type === undefined) continue;
    const content = data[type];
    if (content === undefined || content === null) continue;
    const own = metadata[type];
    const shown = show(content, data, isRecord(own) ? own : metadata);
    if (shown !== null) return shown;
  }
  return { kind: "unknown", type: Object.keys(data)[0] ?? "" };
}

/** nbformat allows text as one string or as a list of lines. */
function textOf(content: unknown): string | null {
  if (typeof content === "string") return content;
  if (Array.isArray(content) && content.every((line) => typeof line === "string")) {
    return content.join("");
  }
  return null;
}

function asText(show: (text: string) => Shown | null): Renderer["show"] {
  return (content) => {
    const text = textOf(content);
    return text === null ? null : show(text);
  };
}

function image(type: ImageType): Renderer {
  return {
    type,
    show: (content, data, metadata) => {
      const base64 = (textOf(content) ?? "").replace(/\s+/g, "");
      if (!isBase64(base64)) return null;
      const size = givenSize(metadata) ?? imageSize(type, base64);
      return { kind: "image", type, base64, alt: altOf(data), size };
    },
  };
}

function givenSize(metadata: Data): Size | null {
  const { width, height } = metadata;
  const usable = (value: unknown): value is number => typeof value === "number" && value > 0;
  return usable(width) && usable(height) ? { width, height } : null;
}

/** `<Figure size 640x480 with 1 Axes>` without its brackets; empty when nothing is said. */
function altOf(data: Data): string {
  const text = textOf(data["text/plain"]) ?? "";
  return text.replace(/^<|>$/g, "").slice(0, 300);
}

function showWidget(_content: unknown, data: Data): Shown {
  return { kind: "widget", text: textOf(data["text/plain"]) };
}

function showSvg(content: unknown, data: Data): Shown | null {
  const source = textOf(content);
  if (source === null || !/<svg[\s/>]/i.test(source)) return null;
  return { kind: "svg", source, alt: altOf(data) };
}

// Bounded throughout: HTML of a kernel may be made to keep a pattern busy.
const ACTIVE = /<(?:script|iframe|object|embed|applet)[\s/>]/i;
const DATAFRAME = /<table[^>]{0,300}\bclass\s{0,3}=\s{0,3}["'][^"'>]{0,200}\bdataframe\b/i;

function showHtml(content: unknown, data: Data): Shown | null {
  const html = textOf(content);
  if (html === null) return null;
  const text = textOf(data["text/plain"]);
  if (ACTIVE.test(html)) return { kind: "active", html, text };
  const styled = withoutFrameStyle(html);
  if (/<(?:style|link)[\s/>]/i.test(styled)) return { kind: "frame", html };
  return { kind: DATAFRAME.test(html) ? "table" : "html", html: styled, text };
}

/** Takes out the style that data frames bring for themselves; ours is used instead. */
function withoutFrameStyle(html: string): string {
  const lower = html.toLowerCase();
  let kept = "";
  let from = 0;
  for (let at = lower.indexOf("<style"); at >= 0; at = lower.indexOf("<style", from)) {
    const end = lower.indexOf("</style>", at);
    if (end < 0 || !lower.slice(at, end).includes(".dataframe")) break;
    kept += html.slice(from, at);
    from = end + "</style>".length;
  }
  return kept + html.slice(from);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
