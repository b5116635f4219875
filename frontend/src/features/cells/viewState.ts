/** How a cell is shown, kept outside it: a cell scrolled away and back is as it was left. */
import { create } from "zustand";

export interface CellView {
  /** The code is hidden altogether. */
  folded: boolean;
  /** Every line of the code is shown. */
  allLines: boolean;
  /** What its code is being changed to; undefined while nobody edits it. */
  draft?: string | undefined;
  /** The code of a new cell that is being written below it. */
  added?: string | undefined;
}

const INITIAL: CellView = { folded: false, allLines: false };

const useViews = create<{ views: Readonly<Record<string, CellView>> }>(() => ({ views: {} }));

export function useCellView(cellId: string): [CellView, (change: Partial<CellView>) => void] {
  const view = useViews((state) => state.views[cellId] ?? INITIAL);
  const change = (part: Partial<CellView>) =>
    useViews.setState(({ views }) => ({
      views: { ...views, [cellId]: { ...(views[cellId] ?? INITIAL), ...part } },
    }));
  return [view, change];
}
