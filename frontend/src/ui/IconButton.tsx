/** A button with only an icon; its name is read out and shown as a tooltip. */
import type { ComponentProps } from "react";
import { Tip } from "./Tip";

interface Props extends Omit<ComponentProps<"button">, "aria-label"> {
  label: string;
  /** Keys that do the same, shown beside the name. */
  keys?: string;
  small?: boolean;
  round?: boolean;
  side?: "top" | "bottom" | "left" | "right";
}

export function IconButton({
  label,
  keys,
  small = false,
  round = false,
  side = "bottom",
  className = "",
  ...rest
}: Props) {
  return (
    <Tip label={label} keys={keys} side={side}>
      <button
        type="button"
        aria-label={label}
        className={`touch inline-flex shrink-0 items-center justify-center text-muted transition-colors hover:bg-hover hover:text-fg disabled:opacity-40 data-[state=open]:bg-hover data-[state=open]:text-fg ${small ? "size-7" : "size-9"} ${round ? "rounded-full" : "rounded-md"} ${className}`}
        {...rest}
      />
    </Tip>
  );
}
