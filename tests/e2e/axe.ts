/** What axe says about a page: the rules of WCAG 2.2 AA. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { root } from "./product";

const axe = readFileSync(join(root, "frontend", "node_modules", "axe-core", "axe.min.js"), "utf-8");

interface Violation {
  id: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** What axe has to say about the page as it is; its script enters past the page's own policy. */
export async function violations(page: Page): Promise<string[]> {
  const client = await page.context().newCDPSession(page);
  await client.send("Runtime.evaluate", { expression: axe });
  const found = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const { run } = (
      window as unknown as {
        axe: { run: (d: Document, o: object) => Promise<{ violations: Violation[] }> };
      }
    ).axe;
    return (await run(document, { runOnly: tags })).violations;
  });
  return found.flatMap(({ id, nodes }) =>
    nodes.map((n) => `${id}: ${n.target.join(" ")} ${n.failureSummary}`),
  );
}
