/** The demo model drives the whole product: what somebody sees who has no key. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, root, test } from "./product";

test.use({ demo: true });
const gdp = readFileSync(join(root, "tests", "data", "gdp_by_province.csv"));

test("the printed link signs a browser in, once", async ({ fresh, page }) => {
  await page.goto(fresh.link);
  await expect(page.getByRole("textbox", { name: "Message" })).toBeVisible();
  expect(page.url()).not.toContain("code=");
  await page.context().clearCookies();
  await page.goto("about:blank");
  await page.goto(fresh.link);
  await expect(
    page.getByRole("heading", { name: "Open the link from your terminal" }),
  ).toBeVisible();
});

test("a dropped file is looked at, repaired, plotted, and a result can be downloaded", async ({
  chat,
  page,
}) => {
  await chat.drop("gdp_by_province.csv", "text/csv", gdp);
  await chat.ask("Look at the file I uploaded, describe it and plot what matters most.");
  await expect(chat.stopButton).toBeVisible();
  await expect(chat.stopButton).toBeHidden({ timeout: 60_000 });
  await expect(chat.log).toContainText(/demo/i);

  const cells = await chat.lastCells();
  expect(cells.some((cell) => cell.status === "error")).toBe(true);
  expect(cells.at(-1)?.status).toBe("ok");
  await expect(chat.log.getByRole("img").last()).toBeVisible();
  const download = page.waitForEvent("download");
  await chat.log.locator("a[href*='/files/']").last().click();
  expect(readFileSync(await (await download).path()).length).toBeGreaterThan(0);
  await chat.shot("demo");
});

test("the dropdown says that it is a demo", async ({ chat }) => {
  await chat.page.getByRole("button", { name: /^Model/ }).click();
  const choice = chat.page.getByRole("menuitemradio", { name: /demo/i });
  await expect(choice).toContainText(/not a language model/);
  await chat.page.keyboard.press("Escape");
});

test("picked files appear in the list and can be taken away", async ({ chat, page }) => {
  await chat.pick("advertising.csv");
  const panel = page.getByRole("complementary", { name: "Files" });
  if (!(await panel.isVisible())) await page.getByRole("button", { name: "Show files" }).click();
  await expect(panel).toContainText("advertising.csv");
  await panel.getByText("advertising.csv").hover();
  await panel.getByRole("button", { name: "Delete advertising.csv" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(panel).not.toContainText("advertising.csv");
});

test("Python that the person types runs, asks and answers", async ({ chat, page }) => {
  await page.getByRole("button", { name: "Run Python" }).click();
  await page
    .getByPlaceholder(/Python to run/)
    .fill("name = input('Your name? ')\nprint('Hello,', name)");
  await page.keyboard.press("Enter");
  await page.getByLabel("Your name?").fill("Ada");
  await page.keyboard.press("Enter");
  await expect(chat.cells("ok")).toContainText("Hello, Ada");
});
