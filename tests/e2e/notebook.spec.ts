/** A conversation out as files, kept as one, and a notebook of others in, by hand and by drop. */

import { readFileSync } from "node:fs";
import { expect, test } from "./product";

test.use({ demo: true });

const figure =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const foreign = {
  nbformat: 4,
  nbformat_minor: 4,
  metadata: { kernelspec: { name: "python3", display_name: "Python 3", language: "python" } },
  cells: [
    { cell_type: "markdown", metadata: {}, source: ["# Iris\n", "\n", "Some **flowers**."] },
    {
      cell_type: "code",
      metadata: {},
      execution_count: 12,
      source: "import math\nmath.tau",
      outputs: [
        {
          output_type: "execute_result",
          execution_count: 12,
          metadata: {},
          data: { "text/plain": "6.283185307179586" },
        },
        { output_type: "display_data", metadata: {}, data: { "image/png": figure } },
      ],
    },
    { cell_type: "raw", metadata: {}, source: "\\newpage" },
  ],
};

test("every format can be downloaded, and a notebook is kept", async ({ chat, page }) => {
  await page.getByRole("button", { name: "Run Python" }).click();
  await page.getByPlaceholder(/Python to run/).fill("print('taken along')");
  await page.keyboard.press("Enter");
  await expect(chat.cells("ok")).toContainText("taken along");
  const menu = page.getByRole("button", { name: /^Notebook and export/ });
  for (const ending of ["ipynb", "py", "md", "html"]) {
    await menu.click();
    const download = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: new RegExp(`\\.${ending}\\)`) }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(new RegExp(`\\.${ending}$`));
    expect(readFileSync(await file.path(), "utf8")).toContain("taken along");
  }
  await menu.click();
  await chat.shot("notebook-menu");
  await page.getByRole("menuitem", { name: "Keep a notebook" }).click();
  await expect(page.getByRole("button", { name: /kept in .*\.ipynb$/ })).toBeVisible();
  await menu.click();
  await chat.shot("notebook-menu-kept");
  await page.getByRole("menuitem", { name: "Kept up to date" }).click();
  await expect(
    page.getByRole("button", { name: "Notebook and export", exact: true }),
  ).toBeVisible();
});

test("a notebook is imported by hand, shown, and gone on with", async ({ chat, page }) => {
  await page
    .getByLabel("Import a notebook")
    .last()
    .setInputFiles({
      name: "iris.ipynb",
      mimeType: "application/x-ipynb+json",
      buffer: Buffer.from(JSON.stringify(foreign)),
    });
  await expect(page.getByRole("heading", { name: "Imported from iris.ipynb" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Iris", exact: true })).toBeVisible();
  await expect(chat.log).toContainText("6.283185307179586");
  await expect(chat.log).toContainText("\\newpage");
  await expect(chat.log.getByRole("img").last()).toBeVisible();
  await chat.shot("notebook-imported");
  await page.getByRole("button", { name: "Run Python" }).click();
  await page.getByPlaceholder(/Python to run/).fill("'math' in globals()");
  await page.keyboard.press("Enter");
  await expect(chat.log).toContainText("False");
});

test("dropped on the list it is imported, and what is none is refused", async ({ chat, page }) => {
  const list = page.getByRole("navigation", { name: "Conversations" });
  const drop = async (name: string, text: string) => {
    const transfer = await page.evaluateHandle(
      ([file, content]) => {
        const made = new DataTransfer();
        made.items.add(new File([content], file));
        return made;
      },
      [name, text] as const,
    );
    await list.dispatchEvent("dragenter", { dataTransfer: transfer });
    await expect(page.getByText("Drop a notebook to import it")).toBeVisible();
    await list.dispatchEvent("drop", { dataTransfer: transfer });
  };
  await drop("dropped.ipynb", JSON.stringify(foreign));
  await expect(page.getByRole("heading", { name: "Imported from dropped.ipynb" })).toBeVisible();
  await drop("broken.ipynb", "{}");
  await expect(page.getByText(/This is no notebook/)).toBeVisible();
  expect(chat.complaints.splice(0)).toEqual([expect.stringContaining("422")]);
});
