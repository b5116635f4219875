import { describe, expect, test } from "vitest";
import type { CellOutputValue } from "../protocol/generated";
import { choose } from "./registry";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PLOTLY = "application/vnd.plotly.v1+json";
const FRAME =
  '<div>\n<style scoped>\n.dataframe th {}\n</style>\n<table border="1" class="dataframe"></table></div>';
const STYLER =
  '<style type="text/css">#T_1 {color: red}</style><table id="T_1" class="dataframe"></table>';

function display(
  data: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
): CellOutputValue {
  return { output_type: "display_data", data, metadata };
}

describe("of several types the one shown", () => {
  test.each<[string[], string]>([
    [["text/plain", "text/html", "image/svg+xml", "image/jpeg", "image/png"], "image/png"],
    [
      ["text/plain", "text/html", "image/svg+xml", "image/webp", "image/gif", "image/jpeg"],
      "image/jpeg",
    ],
    [["text/plain", "image/svg+xml", "image/webp", "image/gif"], "image/gif"],
    [["text/plain", "image/svg+xml", "image/webp"], "image/webp"],
    [["text/plain", "text/html", "image/svg+xml"], "image/svg+xml"],
    [["text/plain", "application/json", "text/latex", "text/markdown", "text/html"], "text/html"],
    [["text/plain", "application/json", "text/latex", "text/markdown"], "text/markdown"],
    [["text/plain", "application/json", "text/latex"], "text/latex"],
    [["text/plain", "application/json"], "application/json"],
    [["text/plain", "text/html", "application/vnd.plotly.v1+json"], PLOTLY],
    [["text/plain", "text/html", PLOTLY, "image/png"], "image/png"],
  ])("%j: %s", (types, expected) => {
    const contents: Record<string, unknown> = {
      "image/png": PNG,
      "image/jpeg": "AA==",
      "image/gif": "AA==",
      "image/webp": "AA==",
      "image/svg+xml": "<svg/>",
      "text/html": "<b>x</b>",
      "application/json": { a: 1 },
    };
    const only = display({
      [expected]: contents[expected] ?? expected,
      "text/plain": "text/plain",
    });
    const all = display(Object.fromEntries(types.map((type) => [type, contents[type] ?? type])));
    const [chosen, alone] = [choose(all), choose(only)];
    expect(chosen.kind).toBe(alone.kind);
    if (chosen.kind === "image") expect(chosen.type).toBe(expected);
  });
});

describe("an output is shown as", () => {
  test.each<[string, CellOutputValue, unknown]>([
    [
      "stream",
      { output_type: "stream", name: "stderr", text: "x" },
      { kind: "stream", name: "stderr", text: "x" },
    ],
    [
      "error",
      { output_type: "error", ename: "E", evalue: "v", traceback: ["a", "b"] },
      { kind: "error", name: "E", message: "v", traceback: "a\nb" },
    ],
    [
      "picture with its own size and words",
      display({
        "image/png": `${PNG.slice(0, 20)}\n${PNG.slice(20)}\n`,
        "text/plain": "<Figure size 1x1>",
      }),
      {
        kind: "image",
        type: "image/png",
        base64: PNG,
        alt: "Figure size 1x1",
        size: { width: 1, height: 1 },
      },
    ],
    [
      "picture with a given size",
      display({ "image/png": PNG }, { "image/png": { width: 320, height: 240 } }),
      { kind: "image", type: "image/png", base64: PNG, alt: "", size: { width: 320, height: 240 } },
    ],
    [
      "text where the picture is none",
      display({ "image/png": '"><script>', "text/plain": "t" }),
      { kind: "text", text: "t" },
    ],
    ["text of many lines", display({ "text/plain": ["a\n", "b"] }), { kind: "text", text: "a\nb" }],
    [
      "data frame without its style",
      display({ "text/html": FRAME, "text/plain": "t" }),
      { kind: "table", html: FRAME.replace(/<style[\s\S]*<\/style>/, ""), text: "t" },
    ],
    ["styled table", display({ "text/html": STYLER }), { kind: "frame", html: STYLER }],
    [
      "HTML with scripts",
      display({ "text/html": "<div></div><SCRIPT src=x></SCRIPT>", "text/plain": "t" }),
      { kind: "active", html: "<div></div><SCRIPT src=x></SCRIPT>", text: "t" },
    ],
    [
      "frame of another page",
      display({ "text/html": "<iframe src=x>" }),
      { kind: "active", html: "<iframe src=x>", text: null },
    ],
    [
      "data frame that brings a script",
      display({ "text/html": `${FRAME}<script>1</script>` }),
      { kind: "active", html: `${FRAME}<script>1</script>`, text: null },
    ],
    [
      "Vega-Lite of Altair 6",
      display({ "application/vnd.vegalite.v6.json": { mark: "bar" }, "text/plain": "t" }),
      { kind: "vega", spec: { mark: "bar" }, lite: true },
    ],
    [
      "Vega-Lite of Altair 5",
      display({ "application/vnd.vegalite.v5+json": {} }),
      { kind: "vega", spec: {}, lite: true },
    ],
    [
      "Vega",
      display({ "application/vnd.vega.v6+json": {} }),
      { kind: "vega", spec: {}, lite: false },
    ],
    [
      "widget",
      display({ "application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()" }),
      { kind: "widget", text: "IntSlider()" },
    ],
    [
      "nothing known",
      display({ "application/x-y": 1 }),
      { kind: "unknown", type: "application/x-y" },
    ],
    ["nothing at all", display({}), { kind: "unknown", type: "" }],
    ["text that is none", display({ "text/plain": 5 }), { kind: "unknown", type: "text/plain" }],
  ])("%s", (_name, output, expected) => {
    expect(choose(output)).toEqual(expected);
  });
});
