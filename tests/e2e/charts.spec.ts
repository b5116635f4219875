/** Charts of the real libraries, drawn by the page: no report of its policy, zoom kept, files saved. */

import { readFileSync } from "node:fs";
import { type Chat, expect, test } from "./product";

async function runs(chat: Chat, code: string): Promise<void> {
  const newest = chat.page.locator("section[data-cell]").last();
  const id = async () => ((await newest.count()) === 0 ? null : newest.getAttribute("data-cell"));
  const before = await id();
  await chat.page.getByPlaceholder(/Python to run/).fill(code);
  await chat.page.keyboard.press("Enter");
  await expect.poll(id, { timeout: 30_000 }).not.toBe(before);
  await expect(newest).toHaveAttribute("data-status", "ok", { timeout: 60_000 });
}

async function saved(chat: Chat, format: "PNG" | "SVG"): Promise<Buffer> {
  const newest = chat.page.locator("section[data-cell]").last();
  await newest.getByRole("button", { name: "Save chart" }).click();
  const download = chat.page.waitForEvent("download");
  await chat.page.getByRole("menuitem", { name: `Save as ${format}` }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`chart.${format.toLowerCase()}`);
  return readFileSync(await file.path());
}

test("a Plotly figure is drawn, zoomed, left and found as it was, saved", async ({
  chat,
  page,
}) => {
  test.setTimeout(150_000);
  await page.getByRole("button", { name: "Run Python" }).click();
  await runs(
    chat,
    "import plotly.express as px\npx.scatter(x=[1, 2, 3], y=[1, 4, 9], title='Squares')",
  );
  const plot = page.getByRole("group", { name: "Squares" });
  await expect(plot.locator(".main-svg").first()).toBeVisible();
  expect((await saved(chat, "PNG")).subarray(1, 4).toString()).toBe("PNG");
  expect((await saved(chat, "SVG")).toString()).toContain("Squares");

  const area = await plot.locator(".nsewdrag").boundingBox();
  if (area === null) throw new Error("the figure has no area to zoom in");
  const ticks = async () => (await plot.locator(".xtick text").allTextContents()).sort();
  const whole = await ticks();
  await page.mouse.move(area.x + area.width * 0.4, area.y + area.height * 0.3);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.6, area.y + area.height * 0.7, { steps: 5 });
  await page.mouse.up();
  await expect.poll(ticks).not.toEqual(whole);
  const zoomed = await ticks();
  await page.evaluate(() => {
    location.hash = "#/";
  });
  await expect(plot).toHaveCount(0);
  await page.goBack();
  await expect(plot.locator(".main-svg").first()).toBeVisible();
  await expect.poll(ticks).toEqual(zoomed);
});

test("an Altair chart is drawn and saved; a broken one shows its data", async ({ chat, page }) => {
  await page.getByRole("button", { name: "Run Python" }).click();
  await runs(
    chat,
    `import altair as alt, pandas as pd
frame = pd.DataFrame({"month": list("JFMA"), "sales": [3, 5, 2, 8]})
alt.Chart(frame, title="Sales").mark_bar().encode(x="month", y="sales")`,
  );
  const canvas = page.getByRole("group", { name: "Sales" }).locator("canvas");
  await expect(canvas).toBeVisible();
  const inked = await canvas.evaluate((element: HTMLCanvasElement) => {
    const { data } =
      element.getContext("2d")?.getImageData(0, 0, element.width, element.height) ?? {};
    return new Set(data?.filter((_, at) => at % 4 === 2)).size;
  });
  expect(inked).toBeGreaterThan(3);
  expect((await saved(chat, "PNG")).subarray(1, 4).toString()).toBe("PNG");
  expect((await saved(chat, "SVG")).toString()).toContain("Sales");
  await runs(
    chat,
    `from IPython.display import display
display({"application/vnd.vegalite.v6.json": {"mark": "nonsense", "encoding": 5}}, raw=True)
display({"application/vnd.plotly.v1+json": {"data": [{"type": "nonsense"}]}}, raw=True)`,
  );
  await expect(page.getByText(/This chart could not be drawn/)).toHaveCount(2);
  await expect(page.getByText("no such kind of trace: nonsense")).toBeVisible();
});

const XYZ = { x: [1, 2, 3], y: [2, 1, 3], z: [1, 3, 2] };
const GRID = {
  z: [
    [1, 2],
    [3, 4],
  ],
};
const TREE = { labels: ["a", "b"], parents: ["", "a"], values: [3, 2] };
const OHLC = { x: [1, 2], open: [1, 2], close: [2, 1], high: [3, 3], low: [0, 0] };
const TRACES: Record<string, object> = {
  bar: XYZ,
  box: XYZ,
  violin: XYZ,
  histogram: XYZ,
  heatmap: GRID,
  contour: GRID,
  surface: GRID,
  scatter3d: XYZ,
  scattergl: XYZ,
  scatterpolar: { r: [1, 2], theta: [0, 90] },
  pie: TREE,
  sunburst: TREE,
  treemap: TREE,
  funnel: XYZ,
  waterfall: XYZ,
  candlestick: OHLC,
  sankey: { node: { label: ["a", "b"] }, link: { source: [0], target: [1], value: [1] } },
  table: { header: { values: ["a"] }, cells: { values: [[1]] } },
  indicator: { value: 5 },
  choropleth: { locations: ["FRA"], z: [1] },
  scattergeo: { lat: [1], lon: [1] },
  parcoords: { dimensions: [{ values: [1, 2] }, { values: [2, 1] }] },
  splom: { dimensions: [{ values: [1, 2] }, { values: [2, 1] }] },
  scattermap: { lat: [48], lon: [2] },
};

test("every kind of trace is drawn under the page's policy", async ({ chat, page }) => {
  test.setTimeout(240_000);
  await page.getByRole("button", { name: "Run Python" }).click();
  for (const [type, trace] of Object.entries(TRACES)) {
    const figure = {
      data: [{ type, ...trace }],
      layout: { title: { text: `a ${type}` }, height: 260 },
    };
    await runs(
      chat,
      `import json; from IPython.display import display
display({"application/vnd.plotly.v1+json": json.loads('${JSON.stringify(figure)}')}, raw=True)`,
    );
    const plot = page.getByRole("group", { name: `a ${type}`, exact: true });
    await expect(plot.locator(".main-svg, canvas").first(), type).toBeVisible();
  }
  await expect(page.getByText(/could not be drawn/)).toHaveCount(0);
});
