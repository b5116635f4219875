/** Plotly, loaded by parts: the core with the first figure, each kind of trace with its first use. */
import "plotly.js/dist/plotly.css";
import core from "plotly.js/lib/core";
import { type Figure, type JsonObject, traceTypes } from "./figure";

/** What of the library is used here. */
export interface Plotly {
  newPlot(element: HTMLElement, figure: object): Promise<PlotElement>;
  purge(element: HTMLElement): void;
  toImage(figure: object, options: ImageOptions): Promise<string>;
  register(modules: unknown[]): void;
  setPlotConfig(config: object): void;
  Plots: { resize(element: HTMLElement): Promise<unknown> };
}

export interface ImageOptions {
  format: "png" | "svg";
  width: number;
  height: number;
  scale?: number;
}

export interface PlotElement extends HTMLElement {
  on(event: string, listener: (data: never) => void): void;
}

type Loader = () => Promise<{ default: unknown }>;

/** Of WebGL traces those that make no code at run time. */
const TRACES: Readonly<Record<string, Loader>> = {
  bar: () => import("plotly.js/lib/bar"),
  barpolar: () => import("plotly.js/lib/barpolar"),
  box: () => import("plotly.js/lib/box"),
  candlestick: () => import("plotly.js/lib/candlestick"),
  carpet: () => import("plotly.js/lib/carpet"),
  choropleth: () => import("plotly.js/lib/choropleth"),
  cone: () => import("plotly.js/lib/cone"),
  contour: () => import("plotly.js/lib/contour"),
  contourcarpet: () => import("plotly.js/lib/contourcarpet"),
  funnel: () => import("plotly.js/lib/funnel"),
  funnelarea: () => import("plotly.js/lib/funnelarea"),
  heatmap: () => import("plotly.js/lib/heatmap"),
  histogram: () => import("plotly.js/lib/histogram"),
  histogram2d: () => import("plotly.js/lib/histogram2d"),
  histogram2dcontour: () => import("plotly.js/lib/histogram2dcontour"),
  icicle: () => import("plotly.js/lib/icicle"),
  image: () => import("plotly.js/lib/image"),
  indicator: () => import("plotly.js/lib/indicator"),
  isosurface: () => import("plotly.js/lib/isosurface"),
  mesh3d: () => import("plotly.js/lib/mesh3d"),
  ohlc: () => import("plotly.js/lib/ohlc"),
  parcats: () => import("plotly.js/lib/parcats"),
  parcoords: () => import("plotly.js/src/traces/parcoords/strict"),
  pie: () => import("plotly.js/lib/pie"),
  quiver: () => import("plotly.js/lib/quiver"),
  sankey: () => import("plotly.js/lib/sankey"),
  scatter3d: () => import("plotly.js/lib/scatter3d"),
  scattercarpet: () => import("plotly.js/lib/scattercarpet"),
  scattergeo: () => import("plotly.js/lib/scattergeo"),
  scattergl: () => import("plotly.js/src/traces/scattergl/strict"),
  scatterpolar: () => import("plotly.js/lib/scatterpolar"),
  scatterpolargl: () => import("plotly.js/src/traces/scatterpolargl/strict"),
  scattersmith: () => import("plotly.js/lib/scattersmith"),
  scatterternary: () => import("plotly.js/lib/scatterternary"),
  splom: () => import("plotly.js/src/traces/splom/strict"),
  streamtube: () => import("plotly.js/lib/streamtube"),
  sunburst: () => import("plotly.js/lib/sunburst"),
  surface: () => import("plotly.js/lib/surface"),
  table: () => import("plotly.js/lib/table"),
  treemap: () => import("plotly.js/lib/treemap"),
  violin: () => import("plotly.js/lib/violin"),
  volume: () => import("plotly.js/lib/volume"),
  waterfall: () => import("plotly.js/lib/waterfall"),
};
/** Drawn by the core itself. */
const BUILT_IN = new Set(["scatter"]);
/** The outlines of countries come with the page, in one resolution. */
const TOPOJSON = new URL("./topojson/", document.baseURI).href;

const library = core as unknown as Plotly;
const registered = new Set<string>();
library.setPlotConfig({ topojsonURL: TOPOJSON });

/** The library with every kind of trace that a figure has. Rejects for one that there is not. */
export async function plotlyFor(figure: Figure, chinese: boolean): Promise<Plotly> {
  const types = traceTypes(figure).filter((type) => !BUILT_IN.has(type));
  const unknown = types.filter((type) => !(type in TRACES));
  if (unknown.length > 0) throw new Error(unknown.join(", "));
  const wanted = types.filter((type) => !registered.has(type));
  const loaders = wanted.map((type) => TRACES[type]).filter((loader) => loader !== undefined);
  if (chinese && !registered.has("zh-CN")) {
    wanted.push("zh-CN");
    loaders.push(() => import("plotly.js/lib/locales/zh-cn"));
  }
  const modules = await Promise.all(loaders.map((load) => load()));
  if (modules.length > 0) library.register(modules.map((module) => module.default));
  for (const name of wanted) registered.add(name);
  return library;
}

/** What a figure is drawn with, besides what is its own. */
export function plotConfig(figure: Figure, chinese: boolean): JsonObject {
  return {
    ...figure.config,
    displaylogo: false,
    responsive: false,
    locale: chinese ? "zh-CN" : "en-US",
    modeBarButtonsToRemove: ["toImage", "sendDataToCloud"],
  };
}
