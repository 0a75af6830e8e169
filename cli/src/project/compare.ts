import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import type { AppliedObjects } from '@stark-o/core/model';
import type { OutputFormat } from '../base/format.js';
import type { Connection } from '../session/connection.js';
import { applyObjects, prepareProject } from './apply.js';
import { loadProject } from './load.js';
import { differs, printAnswer } from './show.js';

export interface CompareOptions {
  files: readonly string[];
  recursive: boolean;
  namespace: string;
  prune: boolean;
  takeOver: boolean;
}

/** Compares files with what is there, by an apply that is taken back. */
export async function compare(
  connection: Connection,
  { files, recursive, namespace, prune, takeOver }: CompareOptions,
): Promise<AppliedObjects> {
  const prepared = await prepareProject(await loadProject(files, { namespace, recursive }));
  return applyObjects(connection, prepared, { prune, takeOver, dryRun: true });
}

/** Prints what was found, for people by the function that is given, and ends with 1 where something differs. */
export async function printCompared(
  answer: AppliedObjects,
  format: OutputFormat,
  print: () => Promise<void>,
): Promise<void> {
  const listed = answer.changes.filter(({ action }) => action !== 'unchanged');
  await printAnswer(answer, format, { table: print, listed });
  if (differs(answer)) process.exitCode = EXIT_CODES.failed;
}

/** An error of a command that ends with 1 where something differs: it ends with 2, or what is more. */
export function apartFromDifference(error: unknown): unknown {
  if (!(error instanceof StarkError) || error.exitCode !== EXIT_CODES.failed) return error;
  return error.reworded(error.message, { exitCode: EXIT_CODES.usage });
}
