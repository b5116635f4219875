/** The keys of the whole page; those of the message box are its own and only listed here. */
import { useEffect, useRef } from "react";
import type { Words } from "../../i18n";

type Name = Exclude<keyof Words["shortcuts"], "title">;

export const SHORTCUTS: readonly { name: Name; keys: string }[] = [
  { name: "newChat", keys: "Mod+Shift+O" },
  { name: "search", keys: "Mod+K" },
  { name: "sidebar", keys: "Mod+Shift+S" },
  { name: "focus", keys: "Shift+Esc" },
  { name: "send", keys: "Enter" },
  { name: "newline", keys: "Shift+Enter" },
  { name: "runCell", keys: "Shift+Enter" },
  { name: "stop", keys: "Esc" },
  { name: "help", keys: "Mod+/" },
];

type Global = "newChat" | "search" | "sidebar" | "focus" | "stop" | "help";
export type Actions = Record<Global, () => void>;

/** What a key press means, if it means anything to the whole page. */
export function meaningOf(event: KeyboardEvent): Global | undefined {
  if (event.defaultPrevented || event.isComposing || event.altKey) return undefined;
  const key = event.key.toLowerCase();
  if (key === "escape") return event.shiftKey ? "focus" : "stop";
  if (!(event.ctrlKey || event.metaKey)) return undefined;
  if (event.shiftKey) return key === "o" ? "newChat" : key === "s" ? "sidebar" : undefined;
  return key === "k" ? "search" : key === "/" ? "help" : undefined;
}

export function useShortcuts(actions: Actions): void {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const meaning = meaningOf(event);
      if (meaning === undefined) return;
      if (meaning !== "stop") event.preventDefault();
      latest.current[meaning]();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
