/** The server's lists, read once and then changed by the events of the stream. */
import type {
  ConversationEvent,
  ConversationSummary,
  DiskUse,
  FileChanges,
  Published,
} from "../protocol/generated";
import { api, type KernelChoice, type ModelList, type ProviderSettings } from "./api";
import { Resource, type Snapshot, useResource } from "./resource";

/** The conversations by what was searched for; "" is all of them. */
export const conversations = new Resource(api.conversations);
export const models = new Resource<"models", Awaited<ReturnType<typeof api.models>>>(api.models);
/** The providers of models and the servers found on this computer. */
export const settings = new Resource<"settings", ProviderSettings>(api.settings);
/** What conversations can run in. */
export const kernels = new Resource<"kernels", KernelChoice[]>(api.kernels);
/** What the data folder holds; measured anew each time it is looked at. */
export const disk = new Resource<"disk", DiskUse>(api.disk);
/** The workspace's files by conversation. */
export const files = new Resource(api.files);
/** Settings of the server, by name; they stay as they are while it runs. */
export const settingOf = new Resource(api.setting);

const ALL = "";

export function useConversations(query: string): Snapshot<ConversationSummary[]> {
  return useResource(conversations, query);
}

export function useDisk() {
  return useResource(disk, "disk");
}

export function useModels() {
  return useResource(models, "models");
}

export function useSettings() {
  return useResource(settings, "settings");
}

export function useKernels() {
  return useResource(kernels, "kernels");
}

/** Asks every provider for its models; the list is shown as it is until they have answered. */
export async function refreshModels(): Promise<ModelList> {
  const fresh = await api.refreshModels();
  await showModels(fresh);
  return fresh;
}

export async function showModels(fresh: ModelList): Promise<void> {
  await models.load("models");
  models.change("models", () => fresh);
}

export function useFiles(conversationId: string | undefined) {
  return useResource(files, conversationId);
}

/** What the events tell of may have changed unheard. */
export function refreshLists(): void {
  conversations.invalidate();
  files.invalidate();
}

/** The server is back: what could not be read is tried again. */
export function retryLists(): void {
  conversations.retryFailed();
  models.retryFailed();
  settings.retryFailed();
  kernels.retryFailed();
  files.retryFailed();
}

/** Brings the lists up to date with what has just happened. */
export function hearEvents(events: readonly Published[]): void {
  let listChanged = false;
  const filesChanged = new Set<string>();
  for (const { conversation_id: id, at, event } of events) {
    listChanged ||=
      event.type === "conversation_changed" || !changeSummary(id, summaryChange(event, at));
    if (touchesFiles(event)) filesChanged.add(id);
  }
  if (listChanged) {
    conversations.invalidate();
    disk.invalidate();
  }
  for (const id of filesChanged) files.invalidate(id);
}

type Change = Partial<ConversationSummary> | undefined;

function summaryChange(event: ConversationEvent, at: string): Change {
  if (event.type === "turn_started") return { running: true, updated_at: at, model: event.model };
  if (event.type === "turn_finished") return { running: false, waiting: false, updated_at: at };
  if (event.type === "approval_requested") return { waiting: true };
  if (event.type === "approval_resolved") return { waiting: false };
  return undefined;
}

/** False if the list does not have the conversation that changed. */
function changeSummary(id: string, change: Change): boolean {
  if (change === undefined) return true;
  const known = conversations.get(ALL).data?.some((one) => one.id === id) ?? true;
  if (!known) return false;
  conversations.change(ALL, (before) =>
    newestFirst(before.map((one) => (one.id === id ? { ...one, ...change } : one))),
  );
  return true;
}

function newestFirst(list: ConversationSummary[]): ConversationSummary[] {
  return list.toSorted((a, b) => b.updated_at.localeCompare(a.updated_at));
}

function touchesFiles(event: ConversationEvent): boolean {
  if (event.type === "files_changed") return true;
  return event.type === "cell_finished" && anyFile(event.files);
}

function anyFile({ added, changed, removed }: FileChanges): boolean {
  return added.length + changed.length + removed.length > 0;
}
