/** The page's CSP nonce, for the libraries that write style elements. */
import { setNonce } from "get-nonce";

export function nonce(): string | undefined {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce || undefined;
}

/** Hands it to the library behind open dialogs. */
export function adoptNonce(): void {
  const found = nonce();
  if (found !== undefined) setNonce(found);
}
