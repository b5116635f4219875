/** A Plotly figure, drawn from its JSON by the library that comes with the page. */
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { useWords } from "../../i18n";
import { saveImage } from "../images";
import { ChartFrame, type Format, MANY_POINTS, ManyPoints, useNear } from "./ChartFrame";
import { type Figure, isObject, type JsonObject, readFigure, type Restrained } from "./figure";
import { darkLayout, palette, useDark } from "./palette";
import type { Plotly, PlotElement } from "./plotly";
import { keepView, viewOf, withView } from "./views";

const HEIGHT_PX = 450;
const TALLEST_PX = 2_000;

export default function PlotlyOutput({ value, fold }: { value: unknown; fold: string }) {
  const words = useWords();
  const restrained = useMemo(() => readFigure(value), [value]);
  const [asked, setAsked] = useState(false);
  if (restrained === null) {
    const why = words.outputs.badFigure;
    return (
      <ChartFrame fold={fold} json={value} failed={why} notes={[]} onSave={() => undefined}>
        {null}
      </ChartFrame>
    );
  }
  if (restrained.points > MANY_POINTS && !asked) {
    return <ManyPoints points={restrained.points} onDraw={() => setAsked(true)} />;
  }
  return <Plot restrained={restrained} value={value} fold={fold} />;
}

interface PlotProps {
  restrained: Restrained;
  value: unknown;
  fold: string;
}

function Plot({ restrained, value, fold }: PlotProps) {
  const words = useWords().outputs;
  const { figure, blocked, outlined } = restrained;
  const element = useRef<HTMLDivElement>(null);
  const { library, failed } = usePlot(element, figure, value, fold);
  const height = heightOf(figure.layout);
  const notes = [
    ...(outlined ? [words.outlineMap] : []),
    ...(blocked.length > 0 ? [words.notLoaded(blocked.join(", "))] : []),
  ];
  const save = (format: Format) => {
    const shown = element.current;
    if (library === null || shown === null) return;
    const { layout, data } = placed(figure, fold, value);
    const size = { width: shown.clientWidth, height: shown.clientHeight };
    // For paper: in the figure's own colours, whatever the page looks like.
    void library
      .toImage({ data, layout: { ...layout, ...size } }, { format, ...size, scale: 2 })
      .then((address) => saveImage(address, `chart.${format}`));
  };
  return (
    <ChartFrame fold={fold} json={value} failed={failed} notes={notes} onSave={save}>
      <div
        ref={element}
        className="output-plot"
        role="group"
        aria-label={titleOf(figure.layout) ?? words.chart}
        style={{ height }}
      />
    </ChartFrame>
  );
}

interface Drawn {
  library: Plotly | null;
  failed: string | null;
}

/** Draws when it is near, again when the colours change, and takes it away with the element. */
function usePlot(
  ref: RefObject<HTMLDivElement | null>,
  figure: Figure,
  value: unknown,
  fold: string,
): Drawn {
  const near = useNear(ref);
  const dark = useDark();
  const words = useWords();
  const chinese = words.time.locale !== "en";
  const noTrace = words.outputs.noTrace;
  const [drawn, setDrawn] = useState<Drawn>({ library: null, failed: null });
  useEffect(() => {
    const element = ref.current;
    if (!near || element === null) return undefined;
    let over = false;
    let library: Plotly | null = null;
    const observer = new ResizeObserver(() => {
      if (library !== null && element.clientWidth > 0) void library.Plots.resize(element);
    });
    const draw = async () => {
      const module = await import("./plotly");
      const loaded = await module.plotlyFor(figure, chinese).catch((error: unknown) => {
        throw new Error(noTrace(error instanceof Error ? error.message : ""));
      });
      if (over) return;
      const { data, layout } = placed(figure, fold, value);
      const plot = await loaded.newPlot(element, {
        data,
        layout: { ...(dark ? darkLayout(layout, palette()) : layout), autosize: true },
        frames: structuredClone(figure.frames),
        config: module.plotConfig(figure, chinese),
      });
      if (over) return loaded.purge(element);
      library = loaded;
      remember(plot, fold, value);
      observer.observe(element);
      setDrawn({ library: loaded, failed: null });
    };
    draw().catch((error: unknown) => {
      if (!over) setDrawn({ library: null, failed: String(error).replace(/^Error: /, "") });
    });
    return () => {
      over = true;
      observer.disconnect();
      library?.purge(element);
    };
  }, [ref, near, figure, value, fold, dark, chinese, noTrace]);
  return drawn;
}

/** The figure as the person left it; a copy, for the library writes into what it draws. */
function placed(figure: Figure, fold: string, value: unknown): Pick<Figure, "data" | "layout"> {
  const view = viewOf(fold, value);
  const data = structuredClone(figure.data);
  for (const [index, visible] of Object.entries(view.visible)) {
    const trace = data[Number(index)];
    if (trace !== undefined) trace["visible"] = visible;
  }
  const { width: _width, ...layout } = figure.layout;
  return { data, layout: withView({ ...layout, height: heightOf(layout) }, view.layout) };
}

function remember(plot: PlotElement, fold: string, value: unknown): void {
  plot.on("plotly_relayout", (changes: JsonObject) => {
    const { autosize: _autosize, width: _width, height: _height, ...layout } = changes;
    keepView(fold, value, { layout });
  });
  plot.on("plotly_restyle", ([changes, indices]: [JsonObject, number[]]) => {
    const shown = changes["visible"];
    if (!Array.isArray(shown) && typeof shown !== "boolean" && typeof shown !== "string") return;
    const visible: Record<number, boolean | string> = {};
    for (const [at, index] of indices.entries()) {
      const one = Array.isArray(shown) ? shown[at % shown.length] : shown;
      if (typeof one === "boolean" || typeof one === "string") visible[index] = one;
    }
    keepView(fold, value, { visible });
  });
}

function heightOf(layout: JsonObject): number {
  const height = layout["height"];
  return typeof height === "number" && height > 0 ? Math.min(height, TALLEST_PX) : HEIGHT_PX;
}

function titleOf(layout: JsonObject): string | null {
  const title = layout["title"];
  const text = isObject(title) ? title["text"] : title;
  return typeof text === "string" && text !== "" ? text.replace(/<[^<>]*>/g, "") : null;
}
