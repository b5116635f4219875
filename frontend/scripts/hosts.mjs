// The built page talks to nobody but its own server; exits 1 with what names another host.
import { readdirSync, readFileSync } from "node:fs";
import { dist } from "./closure.mjs";

// Names, not addresses that are fetched: namespaces, and where libraries explain their warnings.
const INERT = new Set([
  "www.w3.org",
  "react.dev",
  "tailwindcss.com",
  "radix-ui.com",
  "www.radix-ui.com",
  "github.com",
  // Where Plotly and Vega explain a warning, cite a method, or name their schema.
  "plotly.com",
  "developer.mozilla.org",
  "sites.google.com",
  "jse.amstat.org",
  "get.webgl.org",
  "www.npmjs.com",
  "vega.github.io",
  // Providers to choose from: the server talks to the one that is chosen, the page to none.
  "api.openai.com",
  "api.deepseek.com",
  "openrouter.ai",
]);
const URL_HOST = /(?:https?:)?\/\/([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})(?=[/:"'`\s)])/gi;
const READ = /\.(?:js|css|html|json|svg)$/;

const found = [];
for (const entry of readdirSync(dist, { recursive: true })) {
  if (!READ.test(entry)) continue;
  for (const match of readFileSync(dist + entry, "utf8").matchAll(URL_HOST)) {
    if (!INERT.has(match[1].toLowerCase())) found.push(`${entry}: ${match[0]}`);
  }
}
for (const line of new Set(found)) console.error(line);
console.log(found.length === 0 ? "no remote hosts in the built page" : "remote hosts found");
process.exit(found.length === 0 ? 0 : 1);
