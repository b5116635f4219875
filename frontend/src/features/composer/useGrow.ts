import { type RefObject, useLayoutEffect } from "react";

/** Makes a textarea as tall as its text; how tall it may get, the stylesheet says. */
export function useGrow(area: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const style = area.current?.style;
    if (area.current === null || style === undefined) return;
    style.height = "auto";
    // The height follows the text; an empty one has the stylesheet's.
    if (text !== "") style.height = `${area.current.scrollHeight}px`;
  }, [area, text]);
}
