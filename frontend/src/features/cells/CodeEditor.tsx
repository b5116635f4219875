/** An editor, in a chunk of its own; code has the colours that it has where it stands. */
import {
  defaultKeymap,
  history,
  historyKeymap,
  indentLess,
  indentMore,
} from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import {
  indentOnInput,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { nonce } from "../../lib/nonce";
import { CLASSES } from "../../render/highlight/python";
import { lineReader, lookOf } from "../../render/highlight/words";
import "./editor.css";

export interface EditorProps {
  code: string;
  /** What it is in, where that is not Python. */
  language?: string | undefined;
  label: string;
  onChange: (code: string) => void;
  onRun: () => void;
  onLeave: () => void;
}

const LOOK = EditorView.theme({
  "&": { backgroundColor: "var(--bg-code)", color: "var(--fg)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.6", maxHeight: "60vh" },
  ".cm-content": { padding: "0.75rem 0", caretColor: "var(--fg)" },
  ".cm-line": { padding: "0 0.875rem 0 0.5rem" },
  ".cm-gutters": { backgroundColor: "var(--bg-code)", color: "var(--fg-faint)", border: "none" },
  ".cm-cursor": { borderLeftColor: "var(--fg)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection) !important",
  },
});

export default function CodeEditor(props: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    if (place.current === null) return undefined;
    const { code, label, language } = latest.current;
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: code,
        selection: { anchor: code.length },
        extensions: [colours(language), ...extensions(label, latest)],
      }),
    });
    view.focus();
    return () => view.destroy();
  }, []);
  return <div ref={place} className="cell-editor" />;
}

function colours(language: string | undefined): Extension {
  if (language === undefined) return pythonLanguage;
  const look = lookOf(language);
  return look === undefined ? [] : StreamLanguage.define(lineReader(look));
}

function extensions(label: string, latest: { current: EditorProps }): Extension[] {
  const run = () => {
    latest.current.onRun();
    return true;
  };
  const leave = () => {
    latest.current.onLeave();
    return true;
  };
  return [
    keymap.of([
      { key: "Shift-Enter", run },
      { key: "Mod-Enter", run },
      { key: "Escape", run: leave },
      // Escape and then Tab leads out of it, as the words beside it say.
      { key: "Tab", run: indentMore, shift: indentLess },
      ...defaultKeymap,
      ...historyKeymap,
    ]),
    history(),
    lineNumbers(),
    indentOnInput(),
    indentUnit.of("    "),
    syntaxHighlighting(CLASSES),
    LOOK,
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
    EditorView.cspNonce.of(nonce() ?? ""),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) latest.current.onChange(update.state.doc.toString());
    }),
  ];
}
