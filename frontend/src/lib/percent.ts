/** Text with its percent escapes undone; as it stands where they make no text. */
export function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
