/** What is looked at on demand: what a turn sent to the model, and what is in a file. */
import type { Profile } from "../protocol/generated";
import { api, type SentRequest } from "./api";
import { Resource, type Snapshot, useResource } from "./resource";

/** Keys hold two names; the first is an id and has no space in it. */
const pair = (id: string, name: string) => `${id} ${name}`;
const apart = (key: string): [string, string] => {
  const at = key.indexOf(" ");
  return [key.slice(0, at), key.slice(at + 1)];
};

const sent = new Resource((key: string) => api.requests(...apart(key)));
const profiles = new Resource((key: string) => api.profile(...apart(key)));

export function useSent(conversationId: string, turnId: string): Snapshot<SentRequest[]> {
  return useResource(sent, pair(conversationId, turnId));
}

export function useProfile(conversationId: string, path: string): Snapshot<Profile> {
  return useResource(profiles, pair(conversationId, path));
}

/** What was read before may be out of date: it is read again by whoever looks next. */
export function forgetSent(conversationId: string, turnId: string): void {
  sent.invalidate(pair(conversationId, turnId));
}

export function forgetProfile(conversationId: string, path: string): void {
  profiles.invalidate(pair(conversationId, path));
}
