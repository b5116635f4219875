/** What the kernel holds, and rows of its tables: read again when it comes to rest after a cell. */
import type { Published, TableRows, Variables } from "../protocol/generated";
import { api } from "./api";
import { Resource, type Snapshot, useResource } from "./resource";

/** Rows are asked for in blocks of so many. */
export const BLOCK = 100;

export interface TableQuery {
  name: string;
  sort?: string;
  filter?: string;
  column: number;
}

const variables = new Resource(api.variables);
const rows = new Resource((key: string) => {
  const [id, query, offset] = JSON.parse(key) as [string, TableQuery, number];
  return api.rows(id, query, offset, BLOCK);
});

/** While a cell runs nothing is asked, and what was known last is shown. */
export function useVariables(id: string | undefined, idle: boolean): Snapshot<Variables> {
  const live = useResource(variables, idle ? id : undefined);
  return idle || id === undefined ? live : variables.get(id);
}

export function useRows(
  id: string,
  query: TableQuery,
  block: number,
  idle: boolean,
): Snapshot<TableRows> {
  const key = JSON.stringify([id, query, block * BLOCK]);
  const live = useResource(rows, idle ? key : undefined);
  return idle ? live : rows.get(key);
}

/** Nobody looks at a table any more. */
export function forgetRows(): void {
  rows.invalidate();
}

/** A kernel at rest may hold something else than before. */
export function hearKernels(events: readonly Published[]): void {
  for (const { conversation_id: id, event } of events) {
    if (event.type !== "kernel_status" || event.state !== "idle") continue;
    variables.invalidate(id);
    rows.invalidate();
  }
}
