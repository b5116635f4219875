/** The first run without a key: the three ways, a wrong key told, the right one taken. */

import { join } from "node:path";
import { violations } from "./axe";
import { expect, root, test } from "./product";

const shots = join(root, "tests", "e2e", "shots");
const wrong = "sk-wrong-0123456789";
const right = "sk-right-0123456789";

test("a key typed on the page: a wrong one is told, the right one is taken", async ({
  bare,
  page,
}) => {
  await page.goto(bare.link);
  await expect(page.getByRole("heading", { name: "Choose a model to begin" })).toBeVisible();
  for (const way of [
    "A model on this computer",
    "A provider, with your key",
    "Only looking around",
  ])
    await expect(page.getByRole("heading", { name: way })).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: join(shots, "first-light.png"), fullPage: true });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(shots, "first-dark-narrow.png"), fullPage: true });
  expect(await violations(page)).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(390);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });

  await page.getByLabel("Provider").selectOption("other");
  await page.getByLabel("Base URL").fill(bare.model);
  await page.getByLabel("API key").fill(wrong);
  await page.getByRole("button", { name: "Connect" }).click();
  await expect(page.getByText(/does not accept the API key/)).toBeVisible();
  await page.screenshot({ path: join(shots, "first-wrong-key.png"), fullPage: true });

  await page.getByLabel("API key").fill(right);
  await page.getByRole("button", { name: "Connect" }).click();
  const composer = page.getByRole("textbox", { name: "Message" });
  await expect(composer).toBeVisible();
  const shown = await page.evaluate(async () => (await fetch("/api/settings")).text());
  expect(shown).toContain("other");
  for (const key of [wrong, right]) expect(shown).not.toContain(key);
});

test("the demo needs nothing", async ({ bare, page }) => {
  await page.goto(bare.link);
  await page.getByRole("button", { name: "Try the demo" }).click();
  const composer = page.getByRole("textbox", { name: "Message" });
  await composer.fill("Hello");
  await composer.press("Enter");
  // It may be done before anybody looks.
  await expect(page.getByRole("log")).toContainText("I am a scripted demo");
  const stop = page.getByRole("button", { name: "Stop", exact: true });
  await expect(stop).toBeHidden({ timeout: 60_000 });
});

test("a server on this computer is found, offered and asked", async ({ local, page }) => {
  await page.goto(local.link);
  await expect(page.getByText("Ollama 2 models")).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: join(shots, "first-local.png"), fullPage: true });
  await page.getByRole("button", { name: "Use Ollama" }).click();
  const composer = page.getByRole("textbox", { name: "Message" });
  await composer.fill("which model is this?");
  await composer.press("Enter");
  await expect(page.getByRole("log")).toContainText("You are talking to scripted-small.");
});
