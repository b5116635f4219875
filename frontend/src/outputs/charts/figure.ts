/**
 * A Plotly figure from a kernel as one that may be drawn: nothing in it loads from elsewhere, links
 * lead to where they say, and what would need map tiles from the internet is drawn as outlines.
 * Pure: a new figure comes out, what was left out is said.
 */
import { linkTarget } from "../../render/markdown/safeUrl";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface Figure {
  data: JsonObject[];
  layout: JsonObject;
  frames: JsonObject[];
  config: { scrollZoom: boolean; staticPlot: boolean };
}

export interface Restrained {
  figure: Figure;
  /** Hosts and the like that something would have been loaded from. */
  blocked: string[];
  /** It had map tiles. */
  outlined: boolean;
  /** How many values its traces hold. */
  points: number;
}

/** Keys whose text is an address that the library loads. */
const LOADED = /(?:^|\.|\])(?:source|geojson|url|style|tiles|topojsonURL|plotlyServerURL)$/;
const CARRIED = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/i;
const TILE_TRACES: Readonly<Record<string, string>> = {
  scattermap: "scattergeo",
  scattermapbox: "scattergeo",
  densitymap: "scattergeo",
  densitymapbox: "scattergeo",
  choroplethmap: "choropleth",
  choroplethmapbox: "choropleth",
};

/** Null when it is no figure. */
export function readFigure(value: unknown): Restrained | null {
  if (!isObject(value) || !Array.isArray(value["data"])) return null;
  const blocked = new Set<string>();
  const given = restrain(value, "", blocked) as JsonObject;
  const traces = objects(given["data"]);
  const outlined = traces.some((trace) => textAt(trace, "type") in TILE_TRACES);
  const layout = isObject(given["layout"]) ? given["layout"] : {};
  const config = isObject(given["config"]) ? given["config"] : {};
  return {
    figure: {
      data: traces.map(outline),
      layout: onWorldMaps(outlined ? outlineLayout(layout) : withoutTiles(layout)),
      frames: objects(given["frames"]).map((frame) => ({
        ...frame,
        ...("data" in frame && { data: objects(frame["data"]).map(outline) }),
      })),
      config: {
        scrollZoom: config["scrollZoom"] === true,
        staticPlot: config["staticPlot"] === true,
      },
    },
    blocked: [...blocked],
    outlined,
    points: traces.reduce((sum, trace) => sum + largest(trace), 0),
  };
}

/** The types of trace it is made of, those of its template not counted. */
export function traceTypes(figure: Figure): string[] {
  const all = [...figure.data, ...figure.frames.flatMap((frame) => objects(frame["data"]))];
  return [...new Set(all.map((trace) => textAt(trace, "type") || "scatter"))];
}

function restrain(value: Json, key: string, blocked: Set<string>): Json {
  if (typeof value === "string") return restrainText(value, key, blocked);
  if (Array.isArray(value)) {
    const member = LOADED.test(key) ? key : "";
    return value.map((one) => restrain(one, member, blocked));
  }
  if (value === null || typeof value !== "object") return value;
  const kept: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__") continue;
    if (typeof member === "string" && isRemote(member, name)) blocked.add(hostOf(member));
    else kept[name] = restrain(member, name, blocked);
  }
  return kept;
}

function restrainText(text: string, key: string, blocked: Set<string>): string {
  if (isRemote(text, key)) {
    blocked.add(hostOf(text));
    return "";
  }
  if (text.includes("<")) return restrainMarkup(text);
  return /^\s*url\s*\(/i.test(text) ? "" : text;
}

function isRemote(text: string, key: string): boolean {
  return LOADED.test(key) && /[:/\\]/.test(text) && !CARRIED.test(text);
}

function hostOf(address: string): string {
  const target = linkTarget(address.startsWith("//") ? `https:${address}` : address);
  return target?.kind === "web" ? target.host : address.slice(0, 40);
}

/** Plotly's own few tags, cut as Plotly cuts them; a link gets its host and opens beside the page. */
function restrainMarkup(text: string): string {
  let host: string | null = null;
  return text
    .split(/(<[^<>]*>)/)
    .map((token) => {
      if (!/^<[^<>]*>$/.test(token)) return token;
      if (/^<\/a[\s>]/i.test(token)) {
        const shown = host === null ? "" : ` (${host})</a>`;
        host = null;
        return shown;
      }
      if (/^<a[\s>/]/i.test(token)) {
        const given = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(token);
        const target = linkTarget(given?.[1] ?? given?.[2] ?? "");
        if (target?.kind !== "web" || host !== null) return "";
        host = target.host;
        return `<a href="${target.href.replaceAll('"', "%22")}" target="_blank">`;
      }
      // A style that could name an address goes; colours and sizes stay.
      return /url\s*\(|[\\&]/i.test(token) ? token.replace(/^(<\/?[a-z0-9]*).*$/is, "$1>") : token;
    })
    .join("");
}

function outline(trace: JsonObject): JsonObject {
  const type = TILE_TRACES[textAt(trace, "type")];
  if (type === undefined) return trace;
  const { subplot: _subplot, below: _below, radius: _radius, ...rest } = trace;
  const geo = typeof trace["subplot"] === "string" ? geoName(trace["subplot"]) : "geo";
  return { ...rest, type, geo };
}

const geoName = (subplot: string) => subplot.replace(/^map(?:box)?/, "geo");
const MAPS = /^map(?:box)?\d*$/;

function withoutTiles(layout: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(layout).filter(([name]) => !MAPS.test(name)));
}

/** Each tiled map becomes an outline map around the same places. */
function outlineLayout(layout: JsonObject): JsonObject {
  const kept = withoutTiles(layout);
  const names = Object.keys(layout).filter((name) => MAPS.test(name));
  for (const name of names.length > 0 ? names : ["map"]) {
    const map = layout[name];
    const domain = isObject(map) && isObject(map["domain"]) ? { domain: map["domain"] } : {};
    kept[geoName(name)] = { ...domain, fitbounds: "locations", showcountries: true };
  }
  return kept;
}

/** The part of the world that is a continent: longitudes, then latitudes. */
const CONTINENTS: Readonly<Record<string, [number[], number[]]>> = {
  africa: [
    [-30, 60],
    [-40, 40],
  ],
  antarctica: [
    [-180, 180],
    [-90, -60],
  ],
  asia: [
    [22, 160],
    [-15, 55],
  ],
  europe: [
    [-30, 60],
    [30, 75],
  ],
  "north america": [
    [-180, -45],
    [5, 85],
  ],
  oceania: [
    [110, 180],
    [-50, 20],
  ],
  "south america": [
    [-100, -30],
    [-60, 15],
  ],
};

/** The page brings outlines of the world and of the states of the USA, in one resolution. */
function onWorldMaps(layout: JsonObject): JsonObject {
  const changed = { ...layout };
  for (const [name, geo] of Object.entries(layout)) {
    if (!/^geo\d*$/.test(name) || !isObject(geo)) continue;
    const part = CONTINENTS[textAt(geo, "scope")];
    const { scope: _scope, resolution: _resolution, ...rest } = geo;
    if (part === undefined) {
      changed[name] = { ...rest, ...(geo["scope"] === "usa" && { scope: "usa" }) };
      continue;
    }
    const axis = (given: Json | undefined, range: number[]): JsonObject => ({
      range,
      ...(isObject(given) && given),
    });
    changed[name] = {
      ...rest,
      lonaxis: axis(rest["lonaxis"], part[0]),
      lataxis: axis(rest["lataxis"], part[1]),
    };
  }
  return changed;
}

/** The longest list in a trace, typed arrays in base64 counted too. */
function largest(value: Json, depth = 0): number {
  if (depth > 4 || value === null || typeof value !== "object") return 0;
  if (Array.isArray(value)) {
    return Array.isArray(value[0])
      ? value.reduce<number>((sum, row) => sum + (Array.isArray(row) ? row.length : 1), 0)
      : value.length;
  }
  if (typeof value["bdata"] === "string") {
    const bytes = /(\d+)$/.exec(textAt(value, "dtype"))?.[1] ?? "8";
    return Math.floor((value["bdata"].length * 3) / 4 / Number(bytes));
  }
  return Object.values(value).reduce<number>(
    (most, member) => Math.max(most, largest(member, depth + 1)),
    0,
  );
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text under a key; empty when there is none. */
function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}
