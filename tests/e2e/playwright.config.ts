import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { defineConfig } from "@playwright/test";

const root = resolve(__dirname, "../..");

/** The system's Chromium or Chrome: the tests download none. */
function browser(): string {
  const named = process.env.CHROMIUM;
  return (
    named ||
    execFileSync("python3", ["scripts/setup_browser.py", "--where"], {
      cwd: root,
      encoding: "utf-8",
    }).trim()
  );
}

export default defineConfig({
  testDir: ".",
  outputDir: "../../test-results",
  // Each file has a product of its own; two of them keep two cores busy.
  workers: 2,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1280, height: 900 },
    locale: "en-US",
    colorScheme: "light",
    acceptDownloads: true,
    actionTimeout: 15_000,
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: browser(),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
