/** A button with words on it. */
import type { ComponentProps } from "react";

type Look = "primary" | "quiet" | "outline" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover",
  quiet: "text-muted hover:bg-hover hover:text-fg",
  outline: "border border-line-strong bg-raised hover:bg-hover",
  danger: "bg-danger text-bg hover:opacity-90",
};

interface Props extends ComponentProps<"button"> {
  look?: Look;
  small?: boolean;
}

export function Button({ look = "outline", small = false, className = "", ...rest }: Props) {
  const size = small ? "h-7 px-2.5 text-[13px]" : "h-9 px-3.5 text-sm";
  return (
    <button
      type="button"
      className={`touch inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors disabled:opacity-50 ${size} ${LOOKS[look]} ${className}`}
      {...rest}
    />
  );
}
