import type { PostgresCluster, PostgresClusterOptions } from '../../local/dist/postgres/cluster.js';

/** A running server on a data folder that is not there yet: made by initdb, or under `npm test` a copy of one that was. */
export declare function startTestCluster(dataDir: string): Promise<PostgresCluster>;

/** A running server on a folder that may hold the files of one. */
export declare function startClusterIn(
  dataDir: string,
  options?: Partial<PostgresClusterOptions>,
): Promise<PostgresCluster>;
