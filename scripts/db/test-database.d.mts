/** The repository's root: the folder that has `supabase/`. */
export declare const root: string;

/** A running throw-away database. */
export interface TestDatabase {
  /** Connection string of a role; `postgres` when none is named. */
  url(role?: string): string;
  /** Stops the server while `use` has its files, and starts it again. */
  pause(use: (dataDir: string) => Promise<void>): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** False leaves the migrations out. */
  migrate?: boolean;
  /** Of Postgres. 17 comes from npm, 15 must be installed. */
  version?: 15 | 17;
}

/** Starts a database with everything a hosted project has, and the migrations unless told otherwise. */
export declare function startTestDatabase(options?: TestDatabaseOptions): Promise<TestDatabase>;

/** Runs `use` with a database of its own. */
export declare function withTestDatabase<T>(
  use: (database: TestDatabase) => Promise<T>,
  options?: TestDatabaseOptions,
): Promise<T>;

/** Makes a folder the files of a server that has everything, migrations included; false outside `npm test`. */
export declare function copyMigrated(dataDir: string): Promise<boolean>;
