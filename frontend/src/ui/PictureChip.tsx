/** A picture one can download, small; where it cannot be drawn, what stands for it. */
import { type ReactNode, useState } from "react";

interface Props {
  path: string;
  href: string;
  label: string;
  /** Shown when the file is gone or no picture. */
  fallback: ReactNode;
}

export function PictureChip({ path, href, label, fallback }: Props) {
  const [broken, setBroken] = useState(false);
  if (broken) return fallback;
  return (
    <a
      href={href}
      download={path.split("/").at(-1)}
      aria-label={label}
      className="block overflow-hidden rounded-lg border border-line bg-sunken transition-colors hover:border-line-strong"
    >
      <img
        src={href}
        alt=""
        onError={() => setBroken(true)}
        className="block h-36 max-w-full min-w-12 object-contain"
      />
      <span className="block max-w-full truncate border-t border-line px-2.5 py-1 text-xs text-muted">
        {path}
      </span>
    </a>
  );
}
