/**
 * What was read from the server and is shown in more than one place: read when first looked at,
 * then only when it is said to have changed. What nobody looks at is not read again but forgotten.
 */
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { ApiError, unreachable } from "./api";

export interface Snapshot<T> {
  data?: T;
  error?: ApiError;
  /** When it was read or changed, in ms since 1970. */
  at: number;
}

const NOTHING: Snapshot<never> = { at: 0 };

export class Resource<K extends string, T> {
  readonly #read: (key: K) => Promise<T>;
  readonly #known = new Map<K, Snapshot<T>>();
  /** The number of the last reading of each key, never given twice. */
  readonly #readings = new Map<K, number>();
  #count = 0;
  /** The keys whose last reading has not been answered. */
  readonly #underway = new Set<K>();
  readonly #listeners = new Map<K, Set<() => void>>();

  constructor(read: (key: K) => Promise<T>) {
    this.#read = read;
  }

  get(key: K): Snapshot<T> {
    return this.#known.get(key) ?? NOTHING;
  }

  /** Reads it unless that was done; resolves when it is there, rejects with what went wrong. */
  async load(key: K): Promise<void> {
    if (!this.#readings.has(key)) await this.#readAgain(key);
  }

  /** Changes what is known in place; an answer on its way may be older, so it is read anew. */
  change(key: K, change: (data: T) => T): void {
    const { data } = this.get(key);
    if (data !== undefined) this.#show(key, { data: change(data), at: Date.now() });
    if (this.#underway.has(key)) this.#readAgain(key).catch(() => {});
  }

  /** It has changed on the server: one key, or all. */
  invalidate(key?: K): void {
    for (const known of key === undefined ? [...this.#readings.keys()] : [key]) {
      if ((this.#listeners.get(known)?.size ?? 0) > 0) this.#readAgain(known).catch(() => {});
      else this.#forget(known);
    }
  }

  /** What could not be read is tried again: the server is back. */
  retryFailed(): void {
    for (const [key, { error }] of this.#known) if (error) this.invalidate(key);
  }

  subscribe(key: K, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async #readAgain(key: K): Promise<void> {
    const reading = ++this.#count;
    this.#readings.set(key, reading);
    this.#underway.add(key);
    try {
      const data = await this.#read(key);
      if (this.#readings.get(key) === reading) this.#show(key, { data, at: Date.now() });
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : unreachable(cause);
      if (this.#readings.get(key) === reading) this.#show(key, { ...this.get(key), error });
      throw error;
    } finally {
      if (this.#readings.get(key) === reading) this.#underway.delete(key);
    }
  }

  #show(key: K, snapshot: Snapshot<T>): void {
    this.#known.set(key, snapshot);
    for (const listener of this.#listeners.get(key) ?? []) listener();
  }

  #forget(key: K): void {
    this.#known.delete(key);
    this.#readings.delete(key);
    this.#underway.delete(key);
  }
}

/** What is known under `key`, read if nobody has; nothing for undefined. */
export function useResource<K extends string, T>(
  resource: Resource<K, T>,
  key: K | undefined,
): Snapshot<T> {
  useEffect(() => {
    if (key !== undefined) resource.load(key).catch(() => {});
  }, [resource, key]);
  const subscribe = useCallback(
    (listener: () => void) => (key === undefined ? () => {} : resource.subscribe(key, listener)),
    [resource, key],
  );
  return useSyncExternalStore(subscribe, () => (key === undefined ? NOTHING : resource.get(key)));
}
