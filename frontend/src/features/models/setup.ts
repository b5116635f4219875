/** Changes to providers, and what has to be read anew after them. */
import { api, type ErrorShape, type ProviderChange, type ProviderInfo } from "../../lib/api";
import { models, settings, showModels } from "../../lib/lists";

export interface Saved {
  /** The first model of the provider, as the list calls it. */
  model: string | undefined;
  problem: ErrorShape | undefined;
}

/**
 * Adds a provider or puts it in place of the one with its id, and asks it for its models. A new one
 * that does not answer is not kept.
 */
export async function saveProvider(
  all: readonly ProviderInfo[],
  provider: ProviderChange,
): Promise<Saved> {
  const rows = all.map(asChange);
  const known = rows.some(({ id }) => id === provider.id);
  const changed = rows.map((one) => (one.id === provider.id ? provider : one));
  await api.changeSettings({ providers: known ? changed : [...rows, provider] });
  const fresh = await api.refreshModels();
  const name = provider.name ?? provider.id;
  const problem = fresh.problems?.find((one) => one.provider === name)?.error;
  if (problem !== undefined && !known) {
    await api.changeSettings({ providers: rows });
    return { model: undefined, problem };
  }
  settings.invalidate();
  await showModels(fresh);
  return { model: fresh.models.find(({ id }) => id.startsWith(`${provider.id}/`))?.id, problem };
}

export async function removeProvider(all: readonly ProviderInfo[], id: string): Promise<void> {
  await api.changeSettings({ providers: all.filter((one) => one.id !== id).map(asChange) });
  settings.invalidate();
  models.invalidate();
}

/** A provider that stays as it is; its key and the values of its headers are not known here. */
function asChange(one: ProviderInfo): ProviderChange {
  const { id, name, kind, base_url, api_version, models: named, extra_headers } = one;
  return { id, name, kind, base_url, api_version, models: named, extra_headers };
}
