import type { Database } from './database.types.js';

export type { Database } from './database.types.js';

/** The Postgres schema that is Stark's API. */
export const STARK_SCHEMA = 'stark';

type Tables = Database['stark']['Tables'];

/** A row of a table of schema `stark`, with the columns that hold JSON or one of few texts typed as what they hold. */
export type RowOf<Table extends keyof Tables, Refined = unknown> = Readonly<
  Omit<Tables[Table]['Row'], keyof Refined> & Refined
>;
