/** Where a link in a message leads that names a workspace file; null if it does not. */
import { fileUrl } from "./api";

export function fileLink(conversationId: string, path: string): string | null {
  const inside = path.replace(/^(?:\.?\/)?files\//, "").replace(/^\.\//, "");
  if (inside === "" || inside.startsWith("/") || /^[a-z][a-z0-9+.-]*:/i.test(inside)) return null;
  return fileUrl(conversationId, decoded(inside));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
