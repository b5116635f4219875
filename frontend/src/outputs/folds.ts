/** What is opened to its full height; kept while the list scrolls it out of the page. */
import { create } from "zustand";

const useFolds = create<{ open: ReadonlySet<string> }>(() => ({ open: new Set() }));

function setFold(key: string, shown: boolean): void {
  useFolds.setState(({ open }) => {
    const next = new Set(open);
    if (shown) next.add(key);
    else next.delete(key);
    return { open: next };
  });
}

/** Whether what this key names is open, and how to change that. */
export function useFold(key: string): [boolean, (open: boolean) => void] {
  const open = useFolds((folds) => folds.open.has(key));
  return [open, (shown) => setFold(key, shown)];
}
