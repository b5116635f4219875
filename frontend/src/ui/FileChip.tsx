/** A file one can download, as a chip. */
import { Download } from "lucide-react";
import { FileIcon } from "./FileIcon";

interface Props {
  path: string;
  href: string;
  label: string;
}

export function FileChip({ path, href, label }: Props) {
  return (
    <a
      href={href}
      download={path.split("/").at(-1)}
      aria-label={label}
      className="touch inline-flex h-8 max-w-full items-center gap-1.5 rounded-md border border-line bg-raised px-2.5 text-[13px] transition-colors hover:border-line-strong hover:bg-hover"
    >
      <FileIcon path={path} />
      <span className="truncate">{path}</span>
      <Download size={14} className="shrink-0 text-faint" aria-hidden />
    </a>
  );
}
