/** Copies a text and says so for a moment. */
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useWords } from "../i18n";
import { copyText } from "../lib/clipboard";
import { IconButton } from "./IconButton";

const SAID_MS = 1_600;

export function CopyButton({ text, label }: { text: () => string; label: string }) {
  const words = useWords();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      small
      label={copied ? words.common.copied : label}
      onClick={() => void copyText(text()).then(setCopied)}
    >
      {copied ? (
        <Check size={16} className="text-ok" aria-hidden />
      ) : (
        <Copy size={16} aria-hidden />
      )}
    </IconButton>
  );
}
