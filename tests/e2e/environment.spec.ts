/** Where code runs: chosen on the page, remembered, mended where ipykernel is missing. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { violations } from "./axe";
import { type Chat, expect, python, root, test } from "./product";

const place = realpathSync(mkdtempSync(join(tmpdir(), "gptcode-env-")));
const bare = join(place, "project", ".venv");
const kernels = join(root, ".kernels");

test.use({
  demo: true,
  variables: { JUPYTER_PATH: join(kernels, "share", "jupyter"), PIP_NO_INDEX: "1" },
});

test.beforeAll(() => {
  mkdirSync(join(place, "project"));
  execFileSync(python, ["-m", "venv", "--without-pip", bare]);
});
test.afterAll(() => rmSync(place, { recursive: true, force: true }));

async function run(chat: Chat, code: string): Promise<void> {
  const box = chat.page.getByPlaceholder(/to run/);
  if (!(await box.isVisible()))
    await chat.page.getByRole("button", { name: /^Run (Python|code)$/ }).click();
  await box.fill(code);
  await chat.page.keyboard.press("Enter");
}

async function open(chat: Chat): Promise<void> {
  await chat.page.getByRole("button", { name: /^Kernel: / }).click();
  await chat.page.getByRole("menuitem", { name: /^Environment/ }).click();
  await expect(chat.page.getByRole("dialog", { name: "Where the code runs" })).toBeVisible();
}

test("an environment without ipykernel says so and offers the mend", async ({ chat, page }) => {
  await run(chat, "print('at home')");
  await expect(chat.cells("ok")).toHaveCount(1);
  await open(chat);
  await chat.shot("environment-dialog");
  const dialog = page.getByRole("dialog");
  await expect(dialog.locator("[aria-current=true]")).toHaveCount(1);
  expect(await violations(page)).toEqual([]);
  await dialog.getByLabel(/^Another Python/).fill(bare);
  await dialog.getByRole("button", { name: "Use it" }).click();
  await expect(dialog).toBeHidden();
  const banner = page.getByRole("alert").filter({ hasText: "ipykernel is not installed" });
  await expect(banner).toContainText("install");
  await chat.shot("environment-missing");
  await banner.getByRole("button", { name: "Install ipykernel" }).click();
  const install = page.getByRole("dialog", { name: "Install ipykernel" });
  await chat.shot("environment-install");
  await install.getByRole("button", { name: "Run the command" }).click();
  // There is no index here, so the command fails, and what it said is shown.
  await expect(install.getByRole("region")).toContainText("No matching distribution", {
    timeout: 30_000,
  });
  await chat.shot("environment-install-failed");
  expect(await violations(page)).toEqual([]);
  await install.getByRole("button", { name: "Close" }).last().click();
  await page.reload();
  await open(chat);
  await page.getByRole("dialog").locator("[data-environment]").first().click();
  await run(chat, "print('home again')");
  await expect(chat.cells("ok")).toHaveCount(2);
});

test("a kernel of another language runs, in its colours", async ({ chat, page }) => {
  test.skip(!existsSync(join(kernels, ".ready")), "kernels of other languages: make kernels");
  await run(chat, "1");
  await expect(chat.cells("ok")).toHaveCount(1);
  await open(chat);
  await page.getByRole("dialog").locator("[data-environment=deno]").click();
  await run(chat, "const answer: number = 42; // of all\nconsole.log('answer', answer);");
  const cell = page.locator("section[data-cell]").last();
  await expect(cell).toContainText("answer 42");
  await expect(cell.locator(".syn-keyword", { hasText: "const" })).toBeVisible();
  await expect(cell.locator(".syn-comment")).toHaveText("// of all");
  await page.getByRole("button", { name: /^Kernel: / }).click();
  await expect(page.getByRole("menuitem", { name: /^Environment/ })).toContainText("Deno");
  await expect(page.getByRole("menuitem", { name: /Install packages/ })).toHaveCount(0);
  await chat.shot("environment-deno");
});

test("it fits a narrow page in the dark", async ({ chat, page }) => {
  await run(chat, "1");
  await expect(chat.cells("ok")).toHaveCount(1);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 360, height: 740 });
  await open(chat);
  await chat.shot("environment-narrow-dark");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(360);
  expect(await violations(page)).toEqual([]);
});
