import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLogger, type Stack, type StackOptions, startStack } from '@stark-o/local';
import { prepareData } from './prepared-data.js';

/** The repository's root: the folder that has `supabase/`. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface TestStack {
  stack: Stack;
  folder: string;
  /** The database as its superuser, whom hosted projects do not have. */
  superuserUrl(): Promise<string>;
  /** Stops the stack and removes its folder. */
  stop(): Promise<void>;
}

/** A whole stack in a temporary folder on free ports, with fsync off and Realtime's punishing waits shortened. */
export async function startTestStack(options: Partial<StackOptions> = {}): Promise<TestStack> {
  const folder = await mkdtemp(join(tmpdir(), 'stark-stack-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    if (options.dataDir === undefined && options.workdir === undefined) await prepareData(join(folder, 'data'), root);
    const stack = await startStack({
      workdir: root,
      dataDir: join(folder, 'data'),
      port: 0,
      dbPort: 0,
      durable: false,
      realtimeBackoff: { connectMs: 50, joinMs: 50 },
      log: createLogger({ level: process.env.STARK_TEST_LOG === undefined ? 'silent' : 'debug' }),
      ...options,
    });
    return {
      stack,
      folder,
      superuserUrl: async () => {
        const url = new URL(stack.dbUrl);
        url.username = 'supabase_admin';
        url.password = await readFile(
          join(options.dataDir ?? join(folder, 'data'), 'postgres', 'superuser.password'),
          'utf8',
        );
        return url.href;
      },
      stop: async () => {
        await stack.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
