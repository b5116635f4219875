/** One output, by the way that was chosen for it. */
import { lazy, memo, type ReactNode, Suspense, useCallback } from "react";
import { useWords } from "../i18n";
import { fileUrl } from "../lib/api";
import type { CellOutputValue } from "../protocol/generated";
import { AnsiText } from "../render/ansi/AnsiText";
import { Markdown } from "../render/markdown/Markdown";
import { ErrorOutput } from "./ErrorOutput";
import { ActiveOutput } from "./ActiveOutput";
import { Fold } from "./Fold";
import { ImageOutput } from "./ImageOutput";
import { svgAddress } from "./images";
import { JsonOutput } from "./JsonOutput";
import { LatexOutput } from "./LatexOutput";
import { choose, type Shown } from "./registry";

/** Where an output stands: the `index`th of its cell. */
export interface Place {
  conversationId: string;
  cellId: string;
  index: number;
}

interface Props {
  output: CellOutputValue;
  place: Place;
  running: boolean;
}

/** Longer Markdown would take too long to read as such. */
const MARKDOWN_CHARACTERS = 100_000;

const HtmlOutput = lazy(() => import("./HtmlOutput"));
const FrameOutput = lazy(() => import("./FrameOutput"));
const PlotlyOutput = lazy(() => import("./charts/PlotlyOutput"));
const VegaOutput = lazy(() => import("./charts/VegaOutput"));

export const OutputView = memo(
  function OutputView({ output, place, running }: Props) {
    return <ShownOutput shown={choose(output)} place={place} running={running} />;
  },
  (last, next) =>
    last.output === next.output &&
    last.running === next.running &&
    last.place.index === next.place.index &&
    last.place.cellId === next.place.cellId &&
    last.place.conversationId === next.place.conversationId,
);

function ShownOutput({ shown, place, running }: { shown: Shown; place: Place; running: boolean }) {
  const words = useWords().outputs;
  const fold = `${place.cellId}/${place.index}`;
  const name = `figure-${place.index + 1}`;
  switch (shown.kind) {
    case "stream":
      return <StreamOutput shown={shown} fold={fold} running={running} />;
    case "error":
      return <ErrorOutput error={shown} fold={fold} />;
    case "image": {
      const { type, base64, alt, size } = shown;
      return (
        <ImageOutput src={`data:${type};base64,${base64}`} alt={alt} size={size} name={name} />
      );
    }
    case "svg":
      return <ImageOutput src={svgAddress(shown.source)} alt={shown.alt} size={null} name={name} />;
    case "table":
    case "html":
      return (
        <Suspense fallback={<TextOutput text={shown.text ?? ""} fold={fold} />}>
          <HtmlOutput shown={shown} fold={fold}>
            <TextOutput text={shown.text ?? words.empty} fold={fold} />
          </HtmlOutput>
        </Suspense>
      );
    case "frame":
      return (
        <Suspense>
          <FrameOutput html={shown.html} place={place} fold={fold} />
        </Suspense>
      );
    case "active":
      return (
        <ActiveOutput html={shown.html} place={place} fold={fold}>
          {shown.text !== null && <TextOutput text={shown.text} fold={fold} />}
        </ActiveOutput>
      );
    case "plotly":
      return (
        <Suspense fallback={<div className="output-plot" />}>
          <PlotlyOutput value={shown.figure} fold={fold} />
        </Suspense>
      );
    case "vega":
      return (
        <Suspense fallback={<div className="output-vega" />}>
          <VegaOutput value={shown.spec} lite={shown.lite} fold={fold} />
        </Suspense>
      );
    case "widget":
      return <WidgetOutput text={shown.text} fold={fold} />;
    case "markdown":
      if (shown.text.length > MARKDOWN_CHARACTERS)
        return <TextOutput text={shown.text} fold={fold} />;
      return <MarkdownOutput text={shown.text} fold={fold} conversationId={place.conversationId} />;
    case "latex":
      if (shown.text.length > MARKDOWN_CHARACTERS)
        return <TextOutput text={shown.text} fold={fold} />;
      return <LatexOutput text={shown.text} />;
    case "json":
      return (
        <Fold id={fold} label={words.json}>
          <JsonOutput value={shown.value} />
        </Fold>
      );
    case "text":
      return <TextOutput text={shown.text} fold={fold} />;
    case "unknown":
      return (
        <p className="output-note">{shown.type === "" ? words.empty : words.unknown(shown.type)}</p>
      );
    default:
      return shown satisfies never;
  }
}

interface StreamProps {
  shown: Extract<Shown, { kind: "stream" }>;
  fold: string;
  running: boolean;
}

function StreamOutput({ shown, fold, running }: StreamProps) {
  const words = useWords().outputs;
  const label = shown.name === "stderr" ? words.stderr : words.text;
  const text = (
    <Fold id={fold} label={label} follow={running}>
      <AnsiText text={shown.text} />
    </Fold>
  );
  if (shown.name === "stdout") return text;
  return (
    <div className="output-stderr" title={words.stderr}>
      {text}
    </div>
  );
}

function TextOutput({ text, fold }: { text: string; fold: string }) {
  const words = useWords().outputs;
  return (
    <Fold id={fold} label={words.text}>
      <AnsiText text={text} />
    </Fold>
  );
}

function WidgetOutput({ text, fold }: { text: string | null; fold: string }): ReactNode {
  const words = useWords().outputs;
  return (
    <div>
      <p className="output-note">{words.widget}</p>
      {text !== null && <TextOutput text={text} fold={fold} />}
    </div>
  );
}

interface MarkdownProps {
  text: string;
  fold: string;
  conversationId: string;
}

function MarkdownOutput({ text, fold, conversationId }: MarkdownProps) {
  const words = useWords().outputs;
  const link = useCallback((path: string) => fileUrl(conversationId, path), [conversationId]);
  return (
    <Fold id={fold} label={words.text}>
      <Markdown text={text} onFileLink={link} />
    </Fold>
  );
}
