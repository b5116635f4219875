/** An icon that hints at what a file is. */
import {
  Braces,
  File,
  FileArchive,
  FileCode,
  FileImage,
  FileSpreadsheet,
  FileText,
} from "lucide-react";

const KINDS = [
  [/\.(csv|tsv|xlsx?|ods|parquet|feather)$/i, FileSpreadsheet],
  [/\.(png|jpe?g|gif|webp|svg|bmp|tiff?)$/i, FileImage],
  [/\.(py|ipynb|js|ts|r|jl|sql|sh|html?|css)$/i, FileCode],
  [/\.(jsonl?|ya?ml|toml|xml)$/i, Braces],
  [/\.(zip|gz|tar|7z|rar|xz|bz2|zst)$/i, FileArchive],
  [/\.(txt|md|pdf|docx?|log|rtf)$/i, FileText],
] as const;

export function FileIcon({ path, size = 16 }: { path: string; size?: number }) {
  const Icon = KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? File;
  return <Icon size={size} className="shrink-0 text-muted" aria-hidden />;
}
