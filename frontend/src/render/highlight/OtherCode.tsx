/** Code in a language without a parser here, coloured by its words; in a chunk of its own. */
import { useMemo } from "react";
import { CodeLines } from "./CodeLines";
import { coloured, lookOf } from "./words";

interface Props {
  code: string;
  language: string;
}

export default function OtherCode({ code, language }: Props) {
  const lines = useMemo(() => {
    const look = lookOf(language);
    return look && coloured(code, look);
  }, [code, language]);
  return lines === undefined ? code : <CodeLines lines={lines} />;
}
