/** What the person has set in this browser; kept in local storage, lost without harm. */
import { create } from "zustand";

export type Theme = "system" | "light" | "dark";
export type Language = "en" | "zh-CN";

interface Prefs {
  theme: Theme;
  language: Language;
  sidebar: boolean;
  files: boolean;
  /** Which of the panels beside the conversation is seen. */
  panel: "files" | "variables";
  /** The model last chosen, offered to new conversations. */
  model: string | undefined;
}

const KEY = (name: string) => `gptcode.${name}`;

function stored(name: string): string | undefined {
  try {
    return localStorage.getItem(KEY(name)) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(KEY(name));
    else localStorage.setItem(KEY(name), value);
  } catch {
    // Storage can be refused or full; the setting then lasts as long as the page.
  }
}

/** The first language of the browser's list that the page speaks. */
export function preferredLanguage(languages: readonly string[]): Language {
  for (const language of languages) {
    if (/^zh\b/i.test(language)) return "zh-CN";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}

function initial(): Prefs {
  const theme = stored("theme");
  const language = stored("language");
  return {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    language:
      language === "en" || language === "zh-CN"
        ? language
        : preferredLanguage(navigator.languages ?? []),
    sidebar: stored("sidebar") !== "closed",
    files: stored("files") === "open",
    panel: stored("panel") === "variables" ? "variables" : "files",
    model: stored("model"),
  };
}

export const usePrefs = create<Prefs>(initial);

export function setTheme(theme: Theme): void {
  usePrefs.setState({ theme });
  store("theme", theme === "system" ? undefined : theme);
  showTheme(theme);
}

/** The stylesheet follows the attribute; without one it follows the system. */
export function showTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setLanguage(language: Language): void {
  usePrefs.setState({ language });
  store("language", language);
}

export function setSidebar(open: boolean): void {
  usePrefs.setState({ sidebar: open });
  store("sidebar", open ? "open" : "closed");
}

export function setFilesPanel(open: boolean): void {
  usePrefs.setState({ files: open });
  store("files", open ? "open" : "closed");
}

export function setPanel(panel: Prefs["panel"]): void {
  usePrefs.setState({ panel });
  store("panel", panel);
}

export function setPreferredModel(model: string): void {
  usePrefs.setState({ model });
  store("model", model);
}
