// What is loaded stays within its budget (KiB, gzip -9): the first visit, what comes later with its
// first use, and all that a wheel carries. Exits 1 with the sizes if not.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { deflateRawSync, gzipSync } from "node:zlib";
import { dist, initialFiles, lazyFiles } from "./closure.mjs";

const INITIAL = { js: 180, css: 12 };
const LAZY = {
  "first Plotly chart": {
    limit: 390,
    of: ["src/outputs/charts/PlotlyOutput.tsx", "src/outputs/charts/plotly.ts"],
  },
  "first Vega chart": {
    limit: 290,
    of: ["src/outputs/charts/VegaOutput.tsx", "src/outputs/charts/vega.ts"],
  },
  "first HTML output": { limit: 15, of: ["src/outputs/HtmlOutput.tsx"] },
  "first formula": { limit: 85, of: ["src/render/markdown/Katex.tsx"] },
};
const WHEEL = { raw: 7e6, zipped: 2.6e6 };
const size = (file) => gzipSync(readFileSync(dist + file), { level: 9 }).length / 1024;

let over = false;
function report(name, total, limit, unit) {
  over ||= total > limit;
  console.log(`${name}: ${total.toFixed(2)} of ${limit} ${unit}${total > limit ? "  OVER" : ""}`);
}

const files = initialFiles();
for (const kind of Object.keys(INITIAL)) {
  const sizes = files[kind].map((file) => [file, size(file)]);
  report(`initial ${kind}`, sum(sizes.map(([, kib]) => kib)), INITIAL[kind], "KiB gz");
  for (const [file, kib] of sizes) console.log(`  ${kib.toFixed(1).padStart(7)}  ${file}`);
}
for (const [name, { limit, of }] of Object.entries(LAZY)) {
  report(name, sum(lazyFiles(...of).map(size)), limit, "KiB gz");
}
const all = readdirSync(dist, { recursive: true }).filter((name) => statSync(dist + name).isFile());
const bytes = all.map((name) => readFileSync(dist + name));
report("all assets", sum(bytes.map((one) => one.length)) / 1e6, WHEEL.raw / 1e6, "MB");
const zipped = bytes.map((one) => deflateRawSync(one, { level: 9 }).length);
report("all assets in a zip", sum(zipped) / 1e6, WHEEL.zipped / 1e6, "MB");
process.exit(over ? 1 : 0);

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
