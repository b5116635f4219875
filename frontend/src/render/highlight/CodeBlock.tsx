/**
 * Code as it stands: monospaced, scrolled sideways or wrapped, with a button that copies it. It
 * gets colours once the highlighter of its language is there; what has none stays plain.
 */
import { type ComponentType, lazy, Suspense, useRef } from "react";
import { useWords } from "../../i18n";
import { CopyButton } from "../../ui/CopyButton";
import { useOverflow } from "../useOverflow";
import "./highlight.css";

interface Props {
  code: string;
  language?: string | null | undefined;
  /** More is still coming. */
  streaming?: boolean;
  /** Long lines break instead of being scrolled to. */
  wrap?: boolean;
  /** Names the language above the code. */
  labelled?: boolean;
  /** Off where the surroundings have a button of their own. */
  copyable?: boolean;
}

const PYTHON = /^(python|python3|py|py3|ipython|ipython3)$/i;

/** Beyond this many characters colours cost more than they help. */
const COLOURED_UP_TO = 200_000;

type Coloured = ComponentType<{ code: string; streaming: boolean }>;
type Other = ComponentType<{ code: string; language: string }>;

const PlainCode = ({ code }: { code: string }) => code;

const PythonCode = lazy<Coloured>(() =>
  import("./PythonCode").catch(() => ({ default: PlainCode })),
);

const OtherCode = lazy<Other>(() => import("./OtherCode").catch(() => ({ default: PlainCode })));

/** Words on a block that mean no language: it is never coloured. */
const PLAIN = /^(text|plaintext|plain|output|console|none|unknown)$/i;

function isColoured(code: string, language: string): boolean {
  return code.length <= COLOURED_UP_TO && language !== "" && !PLAIN.test(language);
}

export function CodeBlock(props: Props) {
  const { code, language, streaming = false, wrap = false } = props;
  const { labelled = false, copyable = true } = props;
  const words = useWords();
  const pre = useRef<HTMLPreElement>(null);
  const scrolls = useOverflow(pre);
  return (
    <div className="code">
      {labelled && language ? <div className="code-language">{language}</div> : null}
      {copyable && (
        <div className="code-copy">
          <CopyButton text={() => code} label={words.cell.copyCode} />
        </div>
      )}
      <pre
        ref={pre}
        className={wrap ? "code-text code-wrap" : "code-text"}
        {...(scrolls && { tabIndex: 0, role: "region", "aria-label": words.render.code })}
      >
        <code>
          {isColoured(code, language ?? "") ? (
            <Suspense fallback={code}>
              {PYTHON.test(language ?? "") ? (
                <PythonCode code={code} streaming={streaming} />
              ) : (
                <OtherCode code={code} language={language ?? ""} />
              )}
            </Suspense>
          ) : (
            code
          )}
        </code>
      </pre>
    </div>
  );
}
