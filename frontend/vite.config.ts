import { fileURLToPath } from "node:url";
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

export default defineConfig({
  base: "./",
  plugins: [woff2Only(), react(), tailwindcss()],
  // The server replaces the placeholder in index.html, fresh for every response.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    outDir: fileURLToPath(new URL("../gpt_code_ui/web/static", import.meta.url)),
    emptyOutDir: true,
    // The content security policy has no data: for fonts and scripts.
    assetsInlineLimit: 0,
    manifest: "manifest.json",
    reportCompressedSize: false,
  },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: backend, changeOrigin: true } },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    // A line of console that is still on its way when a worker ends would fail the run.
    disableConsoleIntercept: true,
    // A busy machine is slow, not wrong.
    testTimeout: 60_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
