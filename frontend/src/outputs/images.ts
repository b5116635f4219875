/** Pictures as base64: what they measure, and how they become files and addresses. */

export type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** In CSS pixels. */
export interface Size {
  width: number;
  height: number;
}

export function isBase64(text: string): boolean {
  return text.length > 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

/** The size a PNG or GIF says it has, so that room is kept before it is decoded. */
export function imageSize(type: ImageType, base64: string): Size | null {
  const bytes = head(base64);
  if (bytes === null || bytes.byteLength < 24) return null;
  const view = new DataView(bytes.buffer);
  if (type === "image/png") return { width: view.getUint32(16), height: view.getUint32(20) };
  if (type === "image/gif")
    return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  return null;
}

function head(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64.slice(0, 32)), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** An address for `<img>`; an SVG shown that way runs nothing and loads nothing. */
export function svgAddress(source: string): string {
  const whole = /<svg[^>]{0,2000}\sxmlns\s{0,3}=/i.test(source)
    ? source
    : source.replace(/<svg/i, '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;base64,${toBase64(new TextEncoder().encode(whole))}`;
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8_192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  }
  return btoa(binary);
}

/** Saves what a `data:` address holds under a name. */
export function saveImage(address: string, name: string): void {
  const comma = address.indexOf(",");
  const [prefix, content] = [address.slice(0, comma), address.slice(comma + 1)];
  const type = /^data:([^;,]*)/.exec(prefix)?.[1] ?? "";
  if (!prefix.endsWith(";base64")) {
    saveBlob(new Blob([decodeURIComponent(content)], { type }), name);
    return;
  }
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  saveBlob(new Blob([bytes], { type }), name);
}

/** Saves content under a name. */
export function saveBlob(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
