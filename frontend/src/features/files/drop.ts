/** What a drop brings: its files, and the names of its folders, which browsers do not hand out. */
export interface Dropped {
  files: File[];
  folders: string[];
}

export function dropped(transfer: DataTransfer): Dropped {
  const found: Dropped = { files: [], folders: [] };
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry?.();
    const file = item.getAsFile();
    if (entry?.isDirectory) found.folders.push(entry.name);
    else if (file) found.files.push(file);
  }
  return found;
}

export function carriesFiles(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes("Files") ?? false;
}
