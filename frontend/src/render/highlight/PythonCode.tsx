/** Highlighted Python; in a chunk of its own with the parser. */
import { useState } from "react";
import { CodeLines } from "./CodeLines";
import { PythonHighlighter } from "./python";

interface Props {
  code: string;
  streaming: boolean;
}

export default function PythonCode({ code, streaming }: Props) {
  const [highlighter] = useState(() => new PythonHighlighter());
  return <CodeLines lines={highlighter.update(code, !streaming)} />;
}
