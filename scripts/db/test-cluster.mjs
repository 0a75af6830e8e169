// Servers of the embedded Postgres for tests and for the scripts of this folder: in a temporary folder, with fsync off.
import pino from 'pino';
import { PostgresCluster } from '../../local/dist/postgres/cluster.js';
import { copyPrepared } from './prepared-folder.mjs';

const log = pino({ level: process.env.STARK_TEST_LOG ?? 'silent' });

/**
 * A running server on `dataDir`, which is not there yet. Under `npm test` its files are copied from those that initdb made
 * once for all of them, passwords included: the program takes longer than all else that a start does.
 */
export async function startTestCluster(dataDir) {
  await copyPrepared('initdb', dataDir, async (folder) => void (await clusterIn(folder).initialise()));
  return startClusterIn(dataDir);
}

/** A running server on a folder that may hold the files of one; `options` are those of `PostgresCluster`. */
export async function startClusterIn(dataDir, options) {
  const cluster = clusterIn(dataDir, options);
  await cluster.initialise();
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

function clusterIn(dataDir, options) {
  return new PostgresCluster({ dataDir, port: 0, durable: false, log, ...options });
}
