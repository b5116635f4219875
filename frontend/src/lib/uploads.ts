/**
 * Files on their way into workspaces. At most two are sent at once, so that the browser's six
 * connections are not used up; an upload of the draft stays listed until its message is sent.
 */
import { create } from "zustand";
import { ApiError } from "./api";
import { Aborted, upload, type UploadTask } from "./upload";

export interface UploadItem {
  id: string;
  conversationId: string;
  name: string;
  size: number;
  /** 0 to 1. */
  share: number;
  state: "waiting" | "sending" | "done" | "failed";
  /** Part of the next message, not only a file of the workspace. */
  attached: boolean;
  /** Where the server put it; known when done. */
  path?: string;
  error?: ApiError;
}

interface Uploads {
  items: UploadItem[];
}

type Send = typeof upload;

const AT_ONCE = 2;
let counter = 0;

export function createUploads(send: Send = upload) {
  const useUploads = create<Uploads>(() => ({ items: [] }));
  const files = new Map<string, File>();
  const tasks = new Map<string, UploadTask>();

  const patch = (id: string, change: Partial<UploadItem>) =>
    useUploads.setState(({ items }) => ({
      items: items.map((item) => (item.id === id ? { ...item, ...change } : item)),
    }));

  function pump(): void {
    for (const item of useUploads.getState().items) {
      if (tasks.size >= AT_ONCE) return;
      if (item.state === "waiting") void begin(item);
    }
  }

  async function begin({ id, conversationId }: UploadItem): Promise<void> {
    const file = files.get(id);
    if (file === undefined) return;
    const task = send(conversationId, file, (share) => patch(id, { share }));
    tasks.set(id, task);
    patch(id, { state: "sending" });
    try {
      const { path } = await task.done;
      patch(id, { state: "done", share: 1, path });
      files.delete(id);
      if (!itemOf(id)?.attached) forget(id);
    } catch (error) {
      if (error instanceof ApiError) patch(id, { state: "failed", error });
      else if (error instanceof Aborted) forget(id);
      else throw error;
    } finally {
      tasks.delete(id);
      pump();
    }
  }

  const itemOf = (id: string) => useUploads.getState().items.find((item) => item.id === id);

  function forget(id: string): void {
    files.delete(id);
    useUploads.setState(({ items }) => ({ items: items.filter((item) => item.id !== id) }));
  }

  function start(conversationId: string, chosen: readonly File[], attached: boolean): void {
    const items = chosen.map((file): UploadItem => {
      const id = `upload-${++counter}`;
      files.set(id, file);
      const { name, size } = file;
      return { id, conversationId, name, size, share: 0, state: "waiting", attached };
    });
    useUploads.setState((before) => ({ items: [...before.items, ...items] }));
    pump();
  }

  /** Takes an upload away: stops it if it runs; a file that has arrived stays in the workspace. */
  function remove(id: string): void {
    const task = tasks.get(id);
    if (task) task.abort();
    else forget(id);
  }

  function again(id: string): void {
    patch(id, { state: "waiting", share: 0 });
    pump();
  }

  const ofDraft = (conversationId: string) => (item: UploadItem) =>
    item.attached && item.conversationId === conversationId;

  /** What of the draft has arrived. */
  function draftFiles(conversationId: string): { id: string; path: string }[] {
    const { items } = useUploads.getState();
    return items
      .filter(ofDraft(conversationId))
      .flatMap(({ id, path }) => (path === undefined ? [] : [{ id, path }]));
  }

  /** These are in a message now. Others of its draft may have been added since. */
  function clearSent(sent: readonly { id: string }[]): void {
    const gone = new Set(sent.map(({ id }) => id));
    useUploads.setState(({ items }) => ({ items: items.filter(({ id }) => !gone.has(id)) }));
  }

  /** Resolves when nothing of the draft is on its way any more; false if something failed. */
  function draftSettled(conversationId: string): Promise<boolean> {
    const states = () =>
      useUploads
        .getState()
        .items.flatMap((item) => (ofDraft(conversationId)(item) ? [item.state] : []));
    const moving = () => states().some((state) => state === "waiting" || state === "sending");
    return new Promise((resolve) => {
      const settle = () => {
        if (moving()) return false;
        resolve(!states().includes("failed"));
        return true;
      };
      if (settle()) return;
      const stop = useUploads.subscribe(() => settle() && stop());
    });
  }

  return { useUploads, start, remove, again, draftFiles, clearSent, draftSettled };
}

export const uploads = createUploads();
