/** Hands the page's CSP nonce to the library that writes style elements for open dialogs. */
import { setNonce } from "get-nonce";

export function adoptNonce(): void {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
  if (nonce) setNonce(nonce);
}
