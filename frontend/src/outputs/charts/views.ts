/** How a person turned and zoomed a chart; kept while the list scrolls it out of the page. */
import type { JsonObject } from "./figure";

export interface View {
  /** Paths into the layout, as Plotly reports them. */
  layout: JsonObject;
  /** What is hidden by the legend, by the place of the trace. */
  visible: Readonly<Record<number, boolean | string>>;
}

const KEPT = 200;
const views = new Map<string, { of: unknown; view: View }>();
const NONE: View = { layout: {}, visible: {} };

/** The view of a chart; of another chart in the same place nothing is left. */
export function viewOf(id: string, of: unknown): View {
  const found = views.get(id);
  return found !== undefined && found.of === of ? found.view : NONE;
}

export function keepView(id: string, of: unknown, change: Partial<View>): void {
  const last = viewOf(id, of);
  views.delete(id);
  views.set(id, {
    of,
    view: {
      layout: { ...last.layout, ...change.layout },
      visible: { ...last.visible, ...change.visible },
    },
  });
  const oldest = views.keys().next();
  if (views.size > KEPT && !oldest.done) views.delete(oldest.value);
}

/** A layout with a view's paths put in: `xaxis.range[0]` is the first of the range of `xaxis`. */
export function withView(layout: JsonObject, changes: JsonObject): JsonObject {
  const result = structuredClone(layout);
  for (const [path, value] of Object.entries(changes)) {
    const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
    if (steps.includes("__proto__") || steps.includes("constructor")) continue;
    let at = result;
    for (const [index, step] of steps.slice(0, -1).entries()) {
      if (typeof at[step] !== "object" || at[step] === null) {
        at[step] = /^\d+$/.test(steps[index + 1] ?? "") ? [] : {};
      }
      at = at[step] as JsonObject;
    }
    const last = steps.at(-1);
    if (last !== undefined) at[last] = value;
  }
  return result;
}
