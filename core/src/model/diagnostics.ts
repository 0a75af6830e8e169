/** What stark.diagnostics answers; what the database cannot look at is null. */
export interface Facts {
  now: string;
  /** When Postgres was started. */
  started_at: string;
  server_version: number;
  database: { id: string; since: string };
  migrations: { version: string; digest: string }[] | null;
  extensions: Record<string, string | null>;
  grants: { grant: string; held: boolean }[];
  jobs: JobFacts[] | null;
  jobs_are_logged: boolean;
  watch: { heard_at: string | null; called_at: string | null };
  vault: { project_url: string | null; secret_key: string | null; error: string | null } | null;
  probe: ProbeFacts | null;
  nodes: Partial<Record<'healthy' | 'unhealthy' | 'offline' | 'unknown', number>>;
}

export interface JobFacts {
  name: string;
  schedule: string;
  found: boolean;
  active: boolean;
  started_at: string | null;
  succeeded_at: string | null;
  status: string | null;
  message: string | null;
}

export interface ProbeFacts {
  id: number;
  status: number | null;
  error: string | null;
  body: string | null;
}
