// The files that load together: an entry and its static imports, read from Vite's manifest.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const dist = fileURLToPath(new URL("../../gpt_code_ui/web/static/", import.meta.url));

export function initialFiles() {
  const manifest = JSON.parse(readFileSync(`${dist}manifest.json`, "utf8"));
  return closure(
    manifest,
    Object.keys(manifest).filter((key) => manifest[key].isEntry),
  );
}

/** What a conversation with a cell in it has loaded beside the first visit's. */
const CONVERSATION = ["src/features/chat/Transcript.tsx", "src/features/cells/CellView.tsx"];

/** What modules load together when a conversation first uses them. */
export function lazyFiles(...keys) {
  const manifest = JSON.parse(readFileSync(`${dist}manifest.json`, "utf8"));
  const shown = closure(manifest, CONVERSATION);
  const before = new Set([initialFiles(), shown].flatMap(({ js, css }) => [...js, ...css]));
  const files = closure(manifest, keys);
  return [...files.js, ...files.css].filter((file) => !before.has(file));
}

function closure(manifest, entries) {
  const seen = new Set();
  const files = { js: new Set(), css: new Set() };
  const visit = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    if (chunk === undefined) throw new Error(`${key} is no chunk of its own any more`);
    files.js.add(chunk.file);
    for (const css of chunk.css ?? []) files.css.add(css);
    for (const imported of chunk.imports ?? []) visit(imported);
  };
  for (const key of entries) visit(key);
  return { js: [...files.js], css: [...files.css] };
}
