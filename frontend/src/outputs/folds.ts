/** Which outputs are opened to their full height; kept while the list scrolls them out of the page. */
import { create } from "zustand";

interface Folds {
  open: ReadonlySet<string>;
  toggle: (key: string) => void;
}

const useFolds = create<Folds>((set) => ({
  open: new Set(),
  toggle: (key) =>
    set(({ open }) => {
      const next = new Set(open);
      if (!next.delete(key)) next.add(key);
      return { open: next };
    }),
}));

/** Whether the output of this key is open, and how to change that. */
export function useFold(key: string): [boolean, () => void] {
  const open = useFolds((folds) => folds.open.has(key));
  const toggle = useFolds((folds) => folds.toggle);
  return [open, () => toggle(key)];
}
