// @vitest-environment node
/** The page's layers: nothing imports upwards, no feature imports another. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const RANKS = ["styles", "protocol", "lib", "i18n", "ui", "render", "outputs", "features", "app"];
const SRC = fileURLToPath(new URL(".", import.meta.url));
const IMPORT = /(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) =>
  /(?<!\.test)\.tsx?$/.test(path),
);

const layerOf = (path: string) => RANKS.indexOf(path.split("/")[0] ?? "");
const featureOf = (path: string) => /^features\/([^/]+)/.exec(path)?.[1];

const imports = sources.flatMap((path) => {
  const text = readFileSync(join(SRC, path), "utf8");
  return [...text.matchAll(IMPORT)].map(
    (match) => [path, normalize(join(dirname(path), match[1] ?? ""))] as const,
  );
});

it("has a layer for every file", () => {
  expect(sources.filter((path) => layerOf(path) < 0)).toEqual([]);
});

it("imports only from the same layer or below", () => {
  expect(imports.filter(([from, to]) => layerOf(to) > layerOf(from))).toEqual([]);
});

it("keeps features apart", () => {
  const crossing = imports.filter(([from, to]) => {
    const [one, other] = [featureOf(from), featureOf(to)];
    return one !== undefined && other !== undefined && one !== other;
  });
  expect(crossing).toEqual([]);
});

it("talks to the server in lib alone", () => {
  const talkers = sources.filter((path) =>
    /\bfetch\(|XMLHttpRequest|EventSource\(/.test(readFileSync(join(SRC, path), "utf8")),
  );
  expect(talkers.filter((path) => !path.startsWith("lib/"))).toEqual([]);
});
