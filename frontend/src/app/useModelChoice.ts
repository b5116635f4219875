/** The model that answers next: picked here, else the conversation's, else last used, else default. */
import { changeDraft, NEW, useDraft } from "../lib/drafts";
import { useModels } from "../lib/lists";
import { setPreferredModel, usePrefs } from "../lib/prefs";
import type { ModelInfo } from "../protocol/generated";

const NO_MODELS: ModelInfo[] = [];

export function useModelChoice(id: string | undefined, used: string | undefined) {
  const key = id ?? NEW;
  const picked = useDraft(key).model;
  const preferred = usePrefs((prefs) => prefs.model);
  const { data } = useModels();
  const models = data?.models ?? NO_MODELS;
  const offered = models.some((model) => model.id === preferred) ? preferred : undefined;
  const current = picked ?? used ?? offered ?? data?.default ?? undefined;
  return {
    models,
    current,
    none: data !== undefined && current === undefined,
    choose: (model: string) => {
      changeDraft(key, { model });
      setPreferredModel(model);
    },
  };
}
