/** A Vega or Vega-Lite specification as one that may be drawn. Pure: a new one comes out. */
import { isObject, type Json, type JsonObject } from "./figure";

/** What a chart may listen to outside itself; keys that a person types are none of its business. */
const WINDOW_EVENTS = [
  "mousemove",
  "mouseup",
  "pointermove",
  "pointerup",
  "touchmove",
  "touchend",
  "resize",
];
export const EVENTS: JsonObject = {
  bind: "container",
  selector: false,
  window: WINDOW_EVENTS,
  view: true,
  timer: true,
};

/** A copy in which no control reaches for an element of the page. Null when it is none. */
export function readSpec(value: unknown): JsonObject | null {
  return isObject(value) ? (withoutElements(value, "") as JsonObject) : null;
}

function withoutElements(value: Json, key: string): Json {
  if (Array.isArray(value)) return value.map((one) => withoutElements(one, key));
  if (!isObject(value)) return value;
  // Rows of data may have any names.
  if (key === "values" || key === "datasets") return value;
  const kept: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (name === "__proto__" || (name === "element" && "input" in value)) continue;
    kept[name] = name === "values" ? member : withoutElements(member, name);
  }
  return kept;
}

/** How many rows of data a specification brings. */
export function rowsOf(spec: JsonObject): number {
  let rows = 0;
  const visit = (value: Json, depth: number) => {
    if (depth > 8 || value === null || typeof value !== "object") return;
    if (Array.isArray(value)) {
      if (value.length > 1_000) rows += value.length;
      else for (const one of value) visit(one, depth + 1);
      return;
    }
    for (const one of Object.values(value)) visit(one, depth + 1);
  };
  visit(spec, 0);
  return rows;
}
