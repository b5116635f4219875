// What a first visit loads stays within its budget (KiB, gzip -9); exits 1 with the sizes if not.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { dist, initialFiles } from "./closure.mjs";

const BUDGET = { js: 180, css: 12 };
const size = (file) => gzipSync(readFileSync(dist + file), { level: 9 }).length / 1024;

const files = initialFiles();
let over = false;
for (const kind of Object.keys(BUDGET)) {
  const sizes = files[kind].map((file) => [file, size(file)]);
  const total = sizes.reduce((sum, [, kib]) => sum + kib, 0);
  over ||= total > BUDGET[kind];
  console.log(`initial ${kind}: ${total.toFixed(1)} of ${BUDGET[kind]} KiB gz`);
  for (const [file, kib] of sizes) console.log(`  ${kib.toFixed(1).padStart(7)}  ${file}`);
}
process.exit(over ? 1 : 0);
