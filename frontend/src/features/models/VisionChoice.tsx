/** The second model, which looks at pictures for those that cannot see. */
import { useWords } from "../../i18n";
import { api } from "../../lib/api";
import { settings } from "../../lib/lists";
import type { ModelInfo } from "../../protocol/generated";
import { reportError } from "../../ui/report";

interface Props {
  models: readonly ModelInfo[];
  chosen: string | null;
}

export function VisionChoice({ models, chosen }: Props) {
  const words = useWords().providers;
  // One that is set but not listed stays to be seen, and one that is known to be blind is no help.
  const able = models.filter(({ id, vision }) => vision !== false || id === chosen);
  const rows = able.map(({ id, name, provider }) => ({ id, label: `${name} · ${provider}` }));
  const known = chosen === null || rows.some(({ id }) => id === chosen);
  const all = known ? rows : [...rows, { id: chosen, label: chosen }];

  function choose(id: string): void {
    api
      .changeSettings({ vision_model: id === "" ? null : id })
      .then(() => settings.invalidate(), reportError);
  }

  return (
    <div className="flex flex-col gap-1.5 border-t border-line pt-4">
      <label htmlFor="vision-model" className="text-sm font-medium">
        {words.forPictures}
      </label>
      <select
        id="vision-model"
        aria-describedby="vision-model-note"
        value={chosen ?? ""}
        onChange={(event) => choose(event.target.value)}
        className="h-9 w-full min-w-0 rounded-md border border-line-strong bg-bg px-2 text-[13px]"
      >
        <option value="">{words.noneForPictures}</option>
        {all.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </select>
      <p id="vision-model-note" className="text-[13px] text-muted">
        {words.forPicturesNote}
      </p>
    </div>
  );
}
