import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodBench, podBench } from '../../agent/test/support/pod-bench.js';
import { bundlePack } from '../../cli/src/bundle/bundle.js';
import { startTestDatabase } from '../../scripts/db/test-database.mjs';
import { installed } from './install.js';

/** What each pack says when the feature works that needs what a bundle lacks. The smallest are tried by `npm test`. */
const RUN: readonly [name: string, says: string | RegExp][] = [
  ['hono', '{"hello":"hono"}'],
  ['ws', 'echo hi'],
  ['cron', 'tick'],
  ['bcryptjs', 'true'],
  ['tsyringe', 'it is noon'],
  ['express', 'uploaded'],
  ['fastify', /\{"twice":42\} 400/],
  ['koa', 'koa /page'],
  ['nest', 'hello from nest'],
  ['socketio', 'true true'],
  ['knex', '[{"two":2}]'],
  ['pg', '[{"name":"pg"}]'],
  ['mysql', "select 'o\\'clock' as a ECONNREFUSED"],
  ['mongodb', 'MongoServerSelectionError 0123456789abcdef01234567'],
  ['sqljs', '[[42]]'],
  ['typeorm', /\[\{"three":3\}\]\nSELECT .* WHERE "n"\."id" = 1/],
  ['pino', /INFO: pretty\n\s+n: 1/],
  ['winston', /info: winston \{"n":1\}/],
  ['pdfkit', '%PDF- true true'],
  ['jimp', '10x5 PNG'],
  ['discord', /^(TokenInvalid|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ECONNREFUSED) hi$/],
  ['grammy', 'heard hi'],
  ['bullmq', /^work /],
  ['views', /^<h1>\/<\/h1><i>foot<\/i> static$/],
  ['i18next', 'hallo'],
  ['swagger', /^text\/html text\/css (text|application)\/javascript$/],
  ['grpc', 'hi grpc'],
  ['moment', 'jeudi'],
  ['sequelize', '[{"four":4}]'],
  ['drizzle', '[{"n":5}]'],
  ['knex-migrations', '[{"n":6}]'],
  ['sqlite-wasm', '[{"n":42}]'],
  ['resvg', '3x2 PNG'],
  ['apollo', '{"hello":"world"}'],
];
const SMALLEST = 5;
const REFUSED: readonly [name: string, addon: string][] = [
  ['sharp', 'sharp'],
  ['sqlite', 'better-sqlite3'],
];

const all = process.env.STARK_TEST_PACKS !== undefined;
const tried = all ? RUN : RUN.slice(0, SMALLEST);
let bench: PodBench;
let database: Awaited<ReturnType<typeof startTestDatabase>> | undefined;
let folder: string;
beforeAll(async () => {
  [bench, folder] = await Promise.all([podBench(), installed(all ? 'project' : 'small')]);
  if (all) database = await startTestDatabase({ migrate: false });
}, 600_000);
afterAll(async () => {
  await bench?.close();
  await database?.stop();
});

describe('a pack of a real library', () => {
  it.each(tried)(
    'runs: %s',
    async (name, says) => {
      const made = await bundlePack(join(folder, 'src', `${name}.js`), 'node', { minify: false, root: folder });
      const pod = await bench.run(
        made.code,
        { spec: { config: { database: database?.url() ?? null } } },
        {},
        made.assets,
      );
      const outcome = await pod.outcome(30_000);
      expect(outcome, pod.text()).toMatchObject({ exitCode: 0 });
      // A newer Node.js warns of what a library still uses, on the other stream.
      const said = pod.log().filter(({ stream }) => stream !== 'stderr');
      const text = said.map(({ message }) => message).join('\n');
      if (typeof says === 'string') expect(text).toBe(says);
      else expect(text).toMatch(says);
    },
    120_000,
  );

  it.runIf(all)('is told when it is bundled that a transport of pino is a thread, and fails by that', async () => {
    const made = await bundlePack(join(folder, 'src', 'pino-transport.js'), 'node', { minify: false, root: folder });
    expect(made.warnings).toContainEqual(expect.stringMatching(/a pod cannot start threads: .*pino → thread-stream/));
    const pod = await bench.run(made.code, {}, {}, made.assets);
    expect(await pod.outcome(30_000)).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/restricted|target/),
    });
  });

  it.runIf(all).each(REFUSED)('is refused for its addon: %s', async (name, addon) => {
    expect(existsSync(join(folder, 'node_modules', addon))).toBe(true);
    await expect(
      bundlePack(join(folder, 'src', `${name}.js`), 'node', { minify: false, root: folder }),
    ).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining(`${addon} cannot run in a pod`),
    });
  });
});
