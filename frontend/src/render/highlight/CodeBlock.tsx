/**
 * Code as it stands: monospaced, scrolled sideways or wrapped, with a button that copies it. Python
 * gets colours once its highlighter is there; everything else stays plain.
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

const PlainCode: Coloured = ({ code }) => code;

const PythonCode = lazy<Coloured>(() =>
  import("./PythonCode").catch(() => ({ default: PlainCode })),
);

export function CodeBlock(props: Props) {
  const { code, language, streaming = false, wrap = false } = props;
  const { labelled = false, copyable = true } = props;
  const words = useWords();
  const pre = useRef<HTMLPreElement>(null);
  const scrolls = useOverflow(pre);
  const python = PYTHON.test(language ?? "") && code.length <= COLOURED_UP_TO;
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
          {python ? (
            <Suspense fallback={code}>
              <PythonCode code={code} streaming={streaming} />
            </Suspense>
          ) : (
            code
          )}
        </code>
      </pre>
    </div>
  );
}
