/** What the kernel holds: the list beside the conversation, and a table served from the kernel. */

import { expect, test } from "./product";

test.use({ demo: true });

const code = `import numpy, pandas
large = pandas.DataFrame({"number": numpy.arange(2_000_000), "price": numpy.arange(2_000_000) % 1000 / 4,
  "城市": pandas.Categorical.from_codes(numpy.arange(2_000_000) % 3, ["Berlin", "北京", "Rome"])})
wide = pandas.DataFrame([list(range(250))] * 3)
settings = {"alpha": 0.5, "names": ["a", "b"], "path": "x" * 400}`;

test("variables are listed, sorted, filtered and scrolled", async ({ chat, page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  const show = page.getByRole("button", { name: "Show files" });
  if (await show.isVisible()) await show.click();
  await page.getByRole("tab", { name: "Variables" }).click();
  const panel = page.getByRole("complementary", { name: "Variables" });
  await expect(panel).toContainText("No kernel runs");
  await page.getByRole("button", { name: "Run Python" }).click();
  await page.getByPlaceholder(/Python to run/).fill(code);
  await page.keyboard.press("Enter");
  const large = panel.getByRole("button", { name: /^large/ });
  await expect(large).toContainText("2,000,000 × 3");
  await expect(panel).toContainText("alpha");
  await chat.shot("variables");
  await large.click();
  const dialog = page.getByRole("dialog", { name: "large · DataFrame" });
  const table = dialog.getByRole("region", { name: "large" });
  await expect(dialog).toContainText("2,000,000 rows × 3 columns");
  await expect(table.getByRole("row").nth(1)).toContainText("Berlin");
  await chat.shot("variables-table");
  await table.getByRole("button", { name: /^price/ }).click();
  await table.getByRole("button", { name: /^price/ }).click();
  await expect(table.getByRole("columnheader", { name: /^price/ })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
  await expect(table.getByRole("row").nth(1)).toContainText("249.75");
  await table.press("End");
  await expect(table.getByRole("row").last()).toContainText("1999000");
  await table.press("ArrowUp");
  await expect(table.getByRole("row").last()).toContainText("1998000");
  await dialog.getByLabel("Filter rows").fill("城市 = 北京 and number < 10");
  await page.keyboard.press("Enter");
  await expect(dialog).toContainText("3 of 2,000,000 rows");
  await expect(table.getByRole("row")).toHaveCount(4);
  await dialog.getByRole("button", { name: "Close" }).click();
  await panel.getByRole("button", { name: /^wide/ }).click();
  const wide = page.getByRole("dialog", { name: "wide · DataFrame" });
  await expect(wide).toContainText("Columns 1 – 100");
  await wide.getByRole("button", { name: "Columns after" }).click();
  await expect(wide).toContainText("Columns 101 – 200");
  await expect(wide.getByRole("columnheader", { name: /^100\b/ })).toBeVisible();
  await wide.getByRole("button", { name: "Close" }).click();
  // A cell's end brings the list up to date; looking left no cell and no count.
  await page.getByPlaceholder(/Python to run/).fill("del wide\nlen(In)");
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("button", { name: /^wide/ })).toHaveCount(0);
  await expect(chat.cells("ok").last()).toContainText("3");
});
