/** The Postgres schema that is Stark's API. */
export const STARK_SCHEMA = 'stark';

// A loose stand-in of the shape `supabase gen types` writes, until the generated file stands beside this one.
// biome-ignore lint/suspicious/noExplicitAny: rows are typed by the generated file
type Loose = Record<string, any>;

export type Database = {
  stark: {
    Tables: Record<string, { Row: Loose; Insert: Loose; Update: Loose; Relationships: [] }>;
    Views: Record<string, never>;
    // biome-ignore lint/suspicious/noExplicitAny: results are typed by the generated file
    Functions: Record<string, { Args: Loose; Returns: any }>;
  };
};
