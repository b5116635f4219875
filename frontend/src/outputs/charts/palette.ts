/** The page's colours for a chart that chose none itself; on a dark page only. */
import { useSyncExternalStore } from "react";
import { isObject, type Json, type JsonObject } from "./figure";

export interface Palette {
  text: string;
  line: string;
  background: string;
}

function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === undefined
    ? matchMedia("(prefers-color-scheme: dark)").matches
    : chosen === "dark";
}

function subscribe(listener: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  media.addEventListener("change", listener);
  return () => {
    observer.disconnect();
    media.removeEventListener("change", listener);
  };
}

/** Whether the page is dark, now and as that changes. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, isDark);
}

/** The colours as they are computed, for libraries that draw on a canvas. */
export function palette(): Palette {
  const probe = document.body.appendChild(document.createElement("i"));
  const read = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    text: read("--fg"),
    line: read("--line-strong"),
    background: read("--bg-raised"),
  };
  probe.remove();
  return found;
}

/**
 * A layout in the page's colours. Only the template is changed, under what the figure itself says;
 * one whose template has a background of its own keeps it.
 */
export function darkLayout(layout: JsonObject, colours: Palette): JsonObject {
  const template = isObject(layout["template"]) ? layout["template"] : {};
  const base = isObject(template["layout"]) ? template["layout"] : {};
  if (!isPaper(base["paper_bgcolor"]) || "paper_bgcolor" in layout) return layout;
  const { text, line, background } = colours;
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, tickcolor: line };
  const merged: JsonObject = {
    ...base,
    font: { ...objectOf(base["font"]), color: text },
    paper_bgcolor: background,
    plot_bgcolor: background,
    xaxis: { ...objectOf(base["xaxis"]), ...axis },
    yaxis: { ...objectOf(base["yaxis"]), ...axis },
    geo: {
      ...objectOf(base["geo"]),
      bgcolor: background,
      landcolor: background,
      lakecolor: background,
      subunitcolor: line,
      coastlinecolor: line,
      countrycolor: line,
    },
    polar: { bgcolor: background, angularaxis: axis, radialaxis: axis },
    ternary: { bgcolor: background, aaxis: axis, baxis: axis, caxis: axis },
    scene: Object.fromEntries(
      ["xaxis", "yaxis", "zaxis"].map((name) => [
        name,
        { ...axis, backgroundcolor: background, showbackground: true },
      ]),
    ),
    legend: { bgcolor: "rgba(0,0,0,0)" },
  };
  return { ...layout, template: { ...template, layout: merged } };
}

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

/** Nothing, or the white that default templates have. */
function isPaper(value: Json | undefined): boolean {
  if (value === undefined) return true;
  return typeof value === "string" && /^(?:white|#fff(?:fff)?)$/i.test(value);
}

/** The configuration of a Vega chart on a dark page; what a chart says itself comes after it. */
export function darkVega({ text, line, background }: Palette): JsonObject {
  const words = { labelColor: text, titleColor: text };
  return {
    background,
    view: { stroke: line },
    axis: { ...words, domainColor: line, gridColor: line, tickColor: line },
    legend: words,
    header: words,
    title: { color: text, subtitleColor: text },
    style: { "guide-label": { fill: text }, "guide-title": { fill: text } },
    text: { color: text, fill: text },
    rule: { color: text },
  };
}
