/** Standard output of `supabase <args>`; throws with what it said when it fails. */
export declare function supabase(args: readonly string[]): Promise<string>;
