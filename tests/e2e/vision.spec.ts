/** Pictures: pasted and sent, drawn and seen, told of where the model cannot see. */

import type { Page } from "@playwright/test";
import { expect, test } from "./product";

/** Puts a picture, drawn in the browser, into the message box as a paste does. */
async function paste(page: Page, width: number, height: number): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).evaluate(
    async (box, [wide, high]) => {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: wide, height: high });
      const pen = canvas.getContext("2d");
      if (!pen) throw new Error("no canvas");
      pen.fillStyle = "#2a6fdb";
      pen.fillRect(0, 0, wide, high);
      pen.fillStyle = "#fff";
      pen.fillRect(wide / 4, high / 4, wide / 2, high / 2);
      const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
      if (!blob) throw new Error("no picture");
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([blob], "image.png", { type: "image/png" }));
      box.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    },
    [width, height] as const,
  );
}

test("a pasted picture is shown, sent and seen, and what was sent shows it", async ({
  chat,
  page,
}) => {
  await paste(page, 640, 400);
  await expect(page.getByRole("button", { name: "Remove pasted-1.png" })).toBeVisible();
  await expect(page.locator("form img")).toHaveJSProperty("naturalWidth", 640);
  await paste(page, 4000, 2000);
  await expect(page.getByRole("button", { name: "Remove pasted-2.png" })).toBeVisible();
  await chat.composer.fill("What do you see?");
  await chat.shot("vision-composer");
  await chat.composer.press("Enter");
  await expect(chat.log).toContainText("I see 2: 640x400, 1568x784.");
  const sent = page.getByRole("link", { name: "Download pasted-1.png" });
  await expect(sent.locator("img")).toHaveJSProperty("naturalWidth", 640);
  await chat.shot("vision-prompt");

  await page.getByRole("button", { name: "What was sent" }).click();
  const dialog = page.getByRole("dialog", { name: "What was sent to the model" });
  const readable = dialog.getByRole("region", { name: "Readable" });
  await expect(readable.locator("img")).toHaveCount(2);
  await expect(readable.getByRole("button", { name: /more characters/ })).toHaveCount(2);
  await readable.locator("img").first().scrollIntoViewIfNeeded();
  await chat.shot("vision-sent");
  await dialog.getByRole("button", { name: "As sent", exact: true }).click();
  await expect(dialog.getByRole("region", { name: "As sent" })).toContainText("image_url");
});

test("a figure that the code drew reaches the model", async ({ chat }) => {
  await chat.ask("Please draw and say what you see.");
  await expect(chat.log).toContainText(/I see 1: \d{3,4}x\d{3,4}\./);
});

test("a model that cannot see is told so, and the person once", async ({ chat, page }) => {
  await page.getByRole("button", { name: /Scripted small/ }).click();
  await page.getByRole("menuitemradio", { name: /Scripted large/ }).click();
  await paste(page, 64, 64);
  await expect(page.getByRole("button", { name: /Remove pasted-\d+\.png/ })).toBeVisible();
  await chat.ask("What do you see?");
  await expect(chat.log).toContainText("I see 0: nothing.");
  await expect(chat.log.getByRole("note")).toContainText("scripted-large cannot see pictures.");
  await chat.ask("And what do you see now?");
  await expect(chat.log.getByText("I see 0: nothing.")).toHaveCount(2);
  await expect(chat.log.getByRole("note")).toHaveCount(1);
  await chat.shot("vision-blind");

  await page.getByRole("button", { name: /Scripted large/ }).click();
  await expect(page.getByRole("menuitemradio", { name: /does not see pictures/ })).toBeVisible();
  await chat.shot("vision-menu");
  await page.getByRole("menuitem", { name: /Models and providers/ }).click();
  await page.getByLabel("A second model for pictures").selectOption({ value: "scripted-small" });
  await expect(page.getByLabel("A second model for pictures")).toHaveValue("scripted-small");
  await chat.shot("vision-models");
  await page.keyboard.press("Escape");
  await expect(chat.log.getByRole("note")).toContainText("It can ask scripted-small about them.");

  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(chat.log.getByRole("note")).toBeVisible();
  await chat.shot("vision-narrow-dark");
  const isWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
  expect(await page.evaluate(isWide)).toBe(false);
});
