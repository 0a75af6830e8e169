/** One thing that Supabase's advisors find. */
export interface Finding {
  name: string;
  level: string;
  detail: string;
}

/** What they find in the database behind `url`, down to mere remarks. */
export declare function adviseOn(url: string): Promise<Finding[]>;
