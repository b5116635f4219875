import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const backend = process.env.GPTCODE_DEV_BACKEND ?? "http://127.0.0.1:8080";

/** KaTeX names each font three times; every browser that runs this page reads woff2. */
function woff2Only(): Plugin {
  return {
    name: "woff2-only",
    enforce: "pre",
    transform: {
      filter: { id: /katex\.min\.css/ },
      handler: (css) => css.replaceAll(/,url\([^)]+\.(?:woff|ttf)\) format\("[^"]+"\)/g, ""),
    },
  };
}

/** Plotly names servers of its maker as defaults; here they are not even named. */
function noPlotlyServers(): Plugin {
  return {
    name: "no-plotly-servers",
    enforce: "pre",
    transform: {
      filter: {
        id: /plotly\.js\/src\/.*\.js/,
        code: /https:\/\/c(?:dn\.plot\.ly|loud\.plotly\.com)/,
      },
      handler: (code) =>
        code
          .replaceAll("https://cdn.plot.ly/un/", "./topojson/")
          .replaceAll(/https:\/\/c(?:dn\.plot\.ly|loud\.plotly\.com)/g, ""),
    },
  };
}

/** The outlines of Plotly's maps, which it would fetch from its maker's server. */
function topojson(): Plugin {
  return {
    name: "topojson",
    apply: "build",
    generateBundle() {
      const { topojson: maps } = geoAssets();
      for (const [name, map] of Object.entries(maps)) {
        // Continents are drawn as parts of the world; see src/outputs/charts/figure.ts.
        if (name !== "world_110m" && name !== "usa_110m") continue;
        const fileName = `topojson/${name}.json`;
        this.emitFile({ type: "asset", fileName, source: JSON.stringify(map) });
      }
    },
  };
}

/** It wants to be a script of a page, and says what it has as a module all the same. */
function geoAssets(): { topojson: Record<string, unknown> } {
  const file = createRequire(import.meta.url).resolve("plotly.js/dist/plotly-geo-assets.js");
  const module = { exports: { topojson: {} } };
  runInNewContext(readFileSync(file, "utf8"), { module, window: {} });
  return module.exports;
}

export default defineConfig({
  base: "./",
  plugins: [woff2Only(), noPlotlyServers(), topojson(), react(), tailwindcss()],
  // Plotly's dependencies know the global object by Node's name.
  define: { global: "globalThis" },
  // The server replaces the placeholder in index.html, fresh for every response.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    outDir: fileURLToPath(new URL("../gpt_code_ui/web/static", import.meta.url)),
    emptyOutDir: true,
    // The content security policy has no data: for fonts and scripts.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    reportCompressedSize: false,
    // scripts/budget.mjs says what is too large.
    chunkSizeWarningLimit: 2_000,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: backend, changeOrigin: true } },
  },
  test: {
    environment: "happy-dom",
    // What a frame would show is a question for a real browser.
    environmentOptions: { happyDOM: { settings: { handleDisabledFileLoadingAsSuccess: true } } },
    include: ["src/**/*.test.{ts,tsx}"],
    // A line of console that is still on its way when a worker ends would fail the run.
    disableConsoleIntercept: true,
    // A busy machine is slow, not wrong.
    testTimeout: 60_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
