/** A Vega or Vega-Lite chart, drawn from its JSON by the library that comes with the page. */
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { View } from "vega";
import { useWords } from "../../i18n";
import { linkTarget } from "../../render/markdown/safeUrl";
import { saveBlob, saveImage } from "../images";
import { ChartFrame, type Format, MANY_POINTS, ManyPoints, useNear } from "./ChartFrame";
import type { JsonObject } from "./figure";
import { darkVega, palette, useDark } from "./palette";
import { readSpec, rowsOf } from "./vegaSpec";

interface Props {
  value: unknown;
  lite: boolean;
  fold: string;
}

const HEIGHT_PX = 300;
/** Heights as they were drawn, so that a chart that comes back keeps its room. */
const heights = new Map<string, number>();

export default function VegaOutput({ value, lite, fold }: Props) {
  const words = useWords();
  const spec = useMemo(() => readSpec(value), [value]);
  const rows = useMemo(() => (spec === null ? 0 : rowsOf(spec)), [spec]);
  const [asked, setAsked] = useState(false);
  if (spec === null) {
    const why = words.outputs.badFigure;
    return (
      <ChartFrame fold={fold} json={value} failed={why} notes={[]} onSave={() => undefined}>
        {null}
      </ChartFrame>
    );
  }
  if (rows > MANY_POINTS && !asked) {
    return <ManyPoints points={rows} onDraw={() => setAsked(true)} />;
  }
  return <VegaChart spec={spec} lite={lite} value={value} fold={fold} />;
}

interface ChartProps extends Props {
  spec: JsonObject;
}

function VegaChart({ spec, lite, value, fold }: ChartProps) {
  const words = useWords().outputs;
  const element = useRef<HTMLDivElement>(null);
  const { view, failed, blocked, link } = useVega(element, spec, lite, fold);
  const notes = blocked.length > 0 ? [words.notLoaded(blocked.join(", "))] : [];
  const save = (format: Format) => {
    if (view === null) return;
    if (format === "png") {
      void view.toImageURL("png", 2).then((address) => saveImage(address, "chart.png"));
    } else {
      const type = "image/svg+xml";
      void view.toSVG().then((svg) => saveBlob(new Blob([svg], { type }), "chart.svg"));
    }
  };
  return (
    <ChartFrame fold={fold} json={value} failed={failed} notes={notes} onSave={save}>
      <div
        ref={element}
        className="output-vega"
        role="group"
        aria-label={titleOf(spec) ?? words.chart}
        style={{ minHeight: heights.get(fold) ?? HEIGHT_PX }}
      />
      <FollowLink address={link} />
    </ChartFrame>
  );
}

/** The address behind a mark that was clicked, to be read before it is followed. */
function FollowLink({ address }: { address: string | null }) {
  const words = useWords().outputs;
  const target = address === null ? null : linkTarget(address);
  if (target?.kind !== "web") return null;
  return (
    <p className="output-note" role="status">
      {words.chartLink}{" "}
      <a href={target.href} target="_blank" rel="noopener noreferrer">
        {target.href}
      </a>
    </p>
  );
}

interface Drawn {
  view: View | null;
  failed: string | null;
  blocked: readonly string[];
  link: string | null;
}

const NOTHING: Drawn = { view: null, failed: null, blocked: [], link: null };

function useVega(
  ref: RefObject<HTMLDivElement | null>,
  spec: JsonObject,
  lite: boolean,
  fold: string,
): Drawn {
  const near = useNear(ref);
  const dark = useDark();
  const [drawn, setDrawn] = useState(NOTHING);
  useEffect(() => {
    const element = ref.current;
    if (!near || element === null) return undefined;
    let over = false;
    let view: View | null = null;
    const change = (part: Partial<Drawn>) => {
      if (!over) setDrawn((last) => ({ ...last, ...part }));
    };
    const blocked = (address: string) => {
      const host = hostOf(address);
      if (over) return;
      setDrawn((last) =>
        last.blocked.includes(host) ? last : { ...last, blocked: [...last.blocked, host] },
      );
    };
    const draw = async () => {
      const { drawVega } = await import("./vega");
      if (over) return;
      const config = dark ? darkVega(palette()) : {};
      // Vega names and describes the element it draws into; ours keeps its own name.
      const place = element.appendChild(document.createElement("div"));
      const made = await drawVega({ spec, lite, config }, place, {
        blocked,
        link: (address) => change({ link: address }),
      });
      if (over) {
        made.finalize();
        return;
      }
      view = made;
      heights.set(fold, element.scrollHeight);
      change({ view: made, failed: null });
    };
    draw().catch((error: unknown) => change({ failed: String(error).replace(/^Error: /, "") }));
    return () => {
      over = true;
      view?.finalize();
      element.replaceChildren();
      setDrawn(NOTHING);
    };
  }, [ref, near, spec, lite, fold, dark]);
  return drawn;
}

function hostOf(address: string): string {
  const target = linkTarget(address);
  return target?.kind === "web" ? target.host : address.slice(0, 60);
}

function titleOf(spec: JsonObject): string | null {
  for (const words of [spec["description"], spec["title"]]) {
    if (typeof words === "string" && words !== "") return words;
  }
  return null;
}
