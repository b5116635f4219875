// The files a first visit loads: the entry and its static imports, read from Vite's manifest.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const dist = fileURLToPath(new URL("../../gpt_code_ui/web/static/", import.meta.url));

export function initialFiles() {
  const manifest = JSON.parse(readFileSync(`${dist}manifest.json`, "utf8"));
  const seen = new Set();
  const files = { js: new Set(), css: new Set() };
  const visit = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    files.js.add(chunk.file);
    for (const css of chunk.css ?? []) files.css.add(css);
    for (const imported of chunk.imports ?? []) visit(imported);
  };
  for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(key);
  return { js: [...files.js], css: [...files.css] };
}
