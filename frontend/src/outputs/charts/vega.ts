/**
 * Vega, without code made at run time: expressions are interpreted. Nothing is loaded: data and
 * pictures come with the specification or not at all, and a link is handed to the page.
 */
import { type Loader, None, parse, type Spec, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile, type TopLevelSpec } from "vega-lite";
import type { JsonObject } from "./figure";
import { EVENTS } from "./vegaSpec";

export interface Chart {
  spec: JsonObject;
  lite: boolean;
  /** Under what the specification says itself. */
  config: JsonObject;
}

export interface Heard {
  /** An address that was not loaded. */
  blocked: (address: string) => void;
  /** An address that a mark leads to and that was clicked. */
  link: (address: string) => void;
}

const CARRIED = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/i;

/** Draws into ``element``; ``finalize`` of the view takes it away. Rejects for a bad one. */
export async function drawVega(chart: Chart, element: HTMLElement, heard: Heard): Promise<View> {
  const compiled = chart.lite ? compileLite(chart) : (structuredClone(chart.spec) as Spec);
  const own = typeof compiled.config === "object" ? compiled.config : {};
  const restrained = { ...compiled, config: { ...own, events: EVENTS } } as unknown as Spec;
  const config = chart.lite ? {} : chart.config;
  const view = new View(parse(restrained, config, { ast: true }), {
    expr: expressionInterpreter,
    loader: closedLoader(heard),
    renderer: "canvas",
    logLevel: None,
    container: element,
    hover: true,
  });
  try {
    await view.runAsync();
  } catch (error) {
    view.finalize();
    throw error;
  }
  return view;
}

function compileLite({ spec, config }: Chart): Spec {
  const silent = { level: () => silent, error: quiet, warn: quiet, info: quiet, debug: quiet };
  function quiet() {
    return silent;
  }
  return compile(spec as unknown as TopLevelSpec, { config, logger: silent }).spec;
}

function closedLoader({ blocked, link }: Heard): Loader {
  const refuse = (address: string): Promise<never> => {
    blocked(address);
    return Promise.reject(new Error(`Not loaded: ${address}`));
  };
  return {
    options: {},
    load: refuse,
    http: refuse,
    file: refuse,
    sanitize: (address: string, options: { context?: string }) => {
      if (options?.context === "href") {
        link(address);
        return Promise.reject(new Error("Links are followed by the page."));
      }
      return CARRIED.test(address) ? Promise.resolve({ href: address }) : refuse(address);
    },
  } as unknown as Loader;
}
