/** Starts the page: nonce, theme, words, session, then the tree. */
import "../styles/index.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { WordsProvider, wordsOf } from "../i18n";
import { en } from "../i18n/en";
import { onUnauthenticated } from "../lib/api";
import { conversations } from "../lib/lists";
import { adoptNonce } from "../lib/nonce";
import { showTheme, usePrefs } from "../lib/prefs";
import { beginSession, endSession } from "../lib/session";
import { TipProvider } from "../ui/Tip";
import { App } from "./App";
import { ErrorBoundary } from "./ErrorBoundary";

async function start(): Promise<void> {
  adoptNonce();
  const { theme, language } = usePrefs.getState();
  showTheme(theme);
  document.documentElement.lang = language;
  onUnauthenticated(endSession);
  const [words] = await Promise.all([
    wordsOf(language).catch(() => en),
    beginSession(() => conversations.load("")),
  ]);
  const root = document.getElementById("root");
  if (root === null) throw new Error("index.html has no #root");
  createRoot(root).render(
    <StrictMode>
      <WordsProvider initial={words}>
        <TipProvider>
          <ErrorBoundary>
            <App />
          </ErrorBoundary>
        </TipProvider>
      </WordsProvider>
    </StrictMode>,
  );
}

void start();
