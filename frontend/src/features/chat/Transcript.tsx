/**
 * The conversation, drawn where it is seen. Follows the end while the person is there, keeps the
 * place while they read elsewhere, and offers the way back.
 */
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown } from "lucide-react";
import {
  type ReactNode,
  type Ref,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
} from "react";
import { useWords } from "../../i18n";
import type {
  CellPart,
  ToolPart,
  Transcript as Conversation,
  Turn,
} from "../../protocol/generated";
import { IconButton } from "../../ui/IconButton";
import { RowView } from "./RowView";
import { estimate, rowsOf } from "./rows";

/** Within this many pixels of the end the person is taken to be at it. */
const NEAR_END = 96;

export interface TranscriptHandle {
  toEnd(): void;
  /** Shows a cell. */
  toCell(cellId: string): void;
}

interface Props {
  transcript: Conversation;
  renderCell: (cell: CellPart, conversationId: string) => ReactNode;
  renderApproval: (tool: ToolPart, conversationId: string) => ReactNode;
  onRetry: (turnId: string) => void;
  onAskAnew: (turn: Turn, text: string) => Promise<void>;
  ref?: Ref<TranscriptHandle>;
}

export function Transcript({
  transcript,
  renderCell,
  renderApproval,
  onRetry,
  onAskAnew,
  ref,
}: Props) {
  const words = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => rowsOf(transcript), [transcript]);
  const running = transcript.turns.at(-1)?.status === "running";

  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
    estimateSize: (index) => estimate(rows[index]),
    overscan: 6,
    paddingStart: 20,
    paddingEnd: 20,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: NEAR_END,
    initialOffset: () => Number.MAX_SAFE_INTEGER,
    rangeExtractor: useCallback(
      (range: Range) => keepMounted(range, scroller.current, running),
      [running],
    ),
  });

  useImperativeHandle(
    ref,
    () => ({
      toEnd: () => list.scrollToEnd(),
      toCell: (cellId) => {
        const index = rows.findIndex((row) => row.key === cellId);
        if (index >= 0) list.scrollToIndex(index, { align: "start" });
      },
    }),
    [list, rows],
  );
  useEndKept(scroller, list);
  const away = list.getDistanceFromEnd() > NEAR_END * 2;

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={words.a11y.conversation}
        // biome-ignore lint: a scroller without focusable content must be reachable by keyboard
        tabIndex={0}
        className="scroller centred h-full px-4 [overflow-anchor:none] focus-visible:-outline-offset-2"
      >
        <div className="relative mx-auto max-w-(--column)" style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const row = rows[item.index];
            return (
              row && (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={list.measureElement}
                  className="absolute inset-x-0 top-0"
                  style={{ transform: `translateY(${item.start}px)` }}
                >
                  <RowView
                    row={row}
                    conversationId={transcript.id}
                    renderCell={renderCell}
                    renderApproval={renderApproval}
                    onRetry={onRetry}
                    onAskAnew={onAskAnew}
                    last={item.index === rows.length - 1}
                  />
                </div>
              )
            );
          })}
        </div>
      </div>
      <div className="pointer-events-none absolute inset-x-4 bottom-0 h-5 bg-linear-to-t from-bg to-transparent" />
      {away && (
        <div className="absolute inset-x-0 bottom-3 flex justify-center">
          <IconButton
            label={words.chat.jump}
            side="top"
            onClick={() => list.scrollToEnd({ behavior: "smooth" })}
            round
            className="appear border border-line bg-raised shadow-m"
          >
            <ArrowDown size={18} aria-hidden />
          </IconButton>
        </div>
      )}
    </div>
  );
}

/** Who is at the end stays there when the window, the message box or a banner changes its size. */
function useEndKept(
  scroller: RefObject<HTMLElement | null>,
  list: { getDistanceFromEnd: () => number; scrollToEnd: () => void },
): void {
  useEffect(() => {
    const element = scroller.current;
    if (element === null || typeof ResizeObserver === "undefined") return undefined;
    let atEnd = true;
    const note = () => {
      atEnd = list.getDistanceFromEnd() <= NEAR_END;
    };
    const observer = new ResizeObserver(() => {
      if (atEnd) list.scrollToEnd();
    });
    observer.observe(element);
    element.addEventListener("scroll", note, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", note);
    };
  }, [scroller, list]);
}

/** The seen rows, the row that holds the focus, and the end while it is being written. */
function keepMounted(range: Range, scroller: HTMLElement | null, running: boolean): number[] {
  const shown = new Set(defaultRangeExtractor(range));
  const focused = document.activeElement?.closest<HTMLElement>("[data-index]");
  if (focused && scroller?.contains(focused)) shown.add(Number(focused.dataset.index));
  if (running) for (const back of [1, 2]) shown.add(Math.max(0, range.count - back));
  return [...shown].filter((index) => index < range.count).toSorted((a, b) => a - b);
}
