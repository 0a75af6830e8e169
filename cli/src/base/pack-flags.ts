import * as Flags from '@oclif/core/flags';
import { PACK_RUNTIMES, type PackRuntime } from '@stark-o/core/model';
import { repeated } from './flags.js';

/** Where a pack can run. */
export const runtimeFlag = {
  runtime: Flags.option({
    options: [...PACK_RUNTIMES, 'universal'] as const,
    summary: 'Where it runs (universal: another name of isomorphic). Default: what package.json says.',
  })(),
};

/** What of npm stays out of a bundle. */
export const externalFlag = {
  external: repeated({
    summary: 'Package to leave out, for a pack that can do without; may be repeated.',
    helpValue: '<package>',
  }),
};

/** The runtime that a flag names. */
export function toRuntime(flag: PackRuntime | 'universal' | undefined): PackRuntime | undefined {
  return flag === 'universal' ? 'isomorphic' : flag;
}
