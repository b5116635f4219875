/** The three scenarios, start to finish, with the scripted model over real HTTP. */

import { readFileSync } from "node:fs";
import { expect, printed, test } from "./product";

test("a rate limiter is written, tested, and passes", async ({ chat, page }) => {
  await chat.ask("Write a token-bucket rate limiter and test it.");
  await expect(chat.log).toContainText("All 4 tests pass");
  await expect(chat.log).toContainText("Ran 4 tests");
  await expect(chat.cells("ok")).toHaveCount(2);
  await expect(page.getByText("UNEXPECTED")).toHaveCount(0);
  expect((await chat.lastCells()).map((cell) => cell.status)).toEqual(["ok", "ok"]);
  await chat.shot("rate-limiter");
});

test("provincial GDP: a wrong encoding is repaired, a Chinese chart appears, a file comes back", async ({
  chat,
  page,
}) => {
  await chat.pick("gdp_by_province.csv");
  await chat.ask("比较四个直辖市(北京、天津、上海、重庆)的地区生产总值。");
  await expect(chat.log).toContainText("44652.8 亿元");
  await expect(page.getByText("UNEXPECTED")).toHaveCount(0);

  const cells = await chat.lastCells();
  expect(cells.map((cell) => cell.status)).toEqual(["error", "ok", "ok"]);
  expect(printed(cells)).not.toMatch(/Glyph .* missing/);
  const figure = chat.log.getByRole("img").last();
  await expect(figure).toBeVisible();
  expect(await figure.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(400);

  const download = page.waitForEvent("download");
  await chat.log.getByRole("link", { name: "municipalities.csv" }).last().click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("municipalities.csv");
  expect(readFileSync(await file.path(), "utf-8")).toContain("上海市,44652.8,43214.9,38700.6");
  await chat.shot("provincial-gdp");
});

test("a regression: a wrong column is repaired, coefficients, R² and a plot come out", async ({
  chat,
  page,
}) => {
  await chat.pick("advertising.csv");
  await chat.ask("Fit a linear regression of sales on the budgets.");
  await expect(chat.log).toContainText("explain most of the sales");
  await expect(page.getByText("UNEXPECTED")).toHaveCount(0);

  const cells = await chat.lastCells();
  expect(cells.map((cell) => cell.status)).toEqual(["error", "ok", "ok"]);
  expect(printed(cells)).toMatch(/tv_budget\s+0\.04\d+\nradio_budget\s+0\.1[89]\d+/);
  expect(printed(cells)).toMatch(/R² = 0\.9\d/);
  await expect(chat.log.getByRole("img").last()).toBeVisible();
  await chat.shot("regression");
});
