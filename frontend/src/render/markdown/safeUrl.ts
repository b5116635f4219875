/**
 * Where a link of a message may lead. Only web and mail addresses and files of the workspace are
 * links; everything else (scripts, data, local paths, unknown schemes) stays text.
 */

import { unescaped } from "../../lib/percent";

export type LinkTarget =
  | { kind: "web"; href: string; host: string }
  | { kind: "mail"; href: string }
  | { kind: "file"; path: string };

/** The target of a Markdown or HTML link; null when it must not be one. */
export function linkTarget(url: string): LinkTarget | null {
  // Browsers ignore control characters inside a scheme; so must a check of it.
  // oxlint-disable-next-line no-control-regex
  const clean = url.replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029\ufffd]+/g, (found) =>
    /^ +$/.test(found) ? found : "",
  );
  const address = clean.trim();
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(address)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https") return webTarget(address);
  if (scheme === "mailto") return { kind: "mail", href: address };
  if (scheme === "sandbox") return fileTarget(address.replace(/^sandbox:\/*(mnt\/data\/)?/i, ""));
  if (scheme !== undefined || address === "") return null;
  return /^[/\\#?]/.test(address) ? null : fileTarget(address);
}

function webTarget(address: string): LinkTarget | null {
  try {
    const parsed = new URL(address);
    return parsed.hostname === "" ? null : { kind: "web", href: parsed.href, host: parsed.host };
  } catch {
    return null;
  }
}

function fileTarget(address: string): LinkTarget | null {
  const path = unescaped(address.replace(/^(\.\/)+/, "").replace(/[?#].*$/, "")).replace(
    /^files\//,
    "",
  );
  const parts = path.split(/[/\\]/);
  const outside = parts.some((part) => part === "" || part === "." || part === "..");
  return outside ? null : { kind: "file", path };
}
