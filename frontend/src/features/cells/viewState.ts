/** How a cell is shown, kept outside it: a cell scrolled away and back is as it was left. */
import { create } from "zustand";

export interface CellView {
  /** The code is hidden altogether. */
  folded: boolean;
  /** Every line of the code is shown. */
  allLines: boolean;
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
