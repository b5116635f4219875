/** The words of the chosen language; English is always there, the others come when chosen. */
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { type Language, usePrefs } from "../lib/prefs";
import { en, type Words } from "./en";

export type { Words } from "./en";

const LOADERS: Record<Exclude<Language, "en">, () => Promise<Words>> = {
  "zh-CN": async () => (await import("./zh-CN")).zhCN,
};

const Context = createContext<Words>(en);

export function useWords(): Words {
  return useContext(Context);
}

/** The words of a language; resolves at once for English. */
export async function wordsOf(language: Language): Promise<Words> {
  return language === "en" ? en : LOADERS[language]();
}

export function WordsProvider({ initial, children }: { initial: Words; children: ReactNode }) {
  const language = usePrefs((prefs) => prefs.language);
  const [words, setWords] = useState(initial);
  useEffect(() => {
    let current = true;
    document.documentElement.lang = language;
    wordsOf(language).then(
      (next) => current && setWords(next),
      () => {},
    );
    return () => {
      current = false;
    };
  }, [language]);
  return <Context value={words}>{children}</Context>;
}
