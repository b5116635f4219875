/** A key combination; `Mod` is the platform's main modifier. */

export const isApple = /Mac|iP(hone|ad|od)/.test(globalThis.navigator?.platform ?? "");

/** How a combination is written on this platform. */
export function keysText(keys: string): string {
  if (!isApple) return keys.replaceAll("Mod", "Ctrl");
  return keys.replaceAll("Mod", "⌘").replaceAll("Shift", "⇧").replaceAll("+", "");
}

export function Kbd({ keys, inverse = false }: { keys: string; inverse?: boolean }) {
  return (
    <kbd
      className={`font-sans text-[11px] whitespace-nowrap ${inverse ? "opacity-75" : "text-faint"}`}
    >
      {keysText(keys)}
    </kbd>
  );
}
