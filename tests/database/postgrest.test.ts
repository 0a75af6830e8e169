import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../harness/stack.js';
import { Cluster, password } from '../security/cluster.js';

const run = promisify(execFile);

interface Block {
  heading: string;
  language: string;
  text: string;
}

const [given, ...rest] = blocksOf(readFileSync(join(root, 'docs', 'postgrest.md'), 'utf8'));
const helpers = rest.filter(({ heading, language }) => heading === given?.heading && language === 'sh');
const examples = rest.filter(({ heading, language }) => heading !== given?.heading && language !== 'sql');
const statements = rest.filter(({ language }) => language === 'sql');

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ admin: 'admin' });
  await fill();
});
afterAll(() => cluster?.stop());

describe('docs/postgrest.md', () => {
  it('asks a reader for nothing but what the test gives', () => {
    expect([...(given?.text ?? '').matchAll(/^(\w+)=/gm)].map(([, name]) => name)).toEqual(Object.keys(environment()));
    expect(examples.filter(({ language }) => language === 'sh').length).toBeGreaterThanOrEqual(10);
  });

  it.each(pairs(examples))('%s', async (_heading, command, answer) => {
    const script = [...helpers.map(({ text }) => text), command].join('\n');
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
      env: { ...process.env, ...environment() },
    });
    expect(JSON.parse(stdout)).toEqual(loosely(JSON.parse(answer)));
  });
});

it('docs/postgrest.md: a trigger of an application reports for users who have no right in Stark', async () => {
  const { database } = cluster;
  await database.query(
    'create table public.jobs (id bigint generated always as identity); grant insert on public.jobs to anon',
  );
  for (const { text } of statements) await database.query(text);
  await database.query('begin; set local role anon; insert into public.jobs default values; commit');
  const { rows } = await database.query(`select value from stark.reported_metrics where reported_by is null`);
  expect(rows).toEqual([{ value: 1 }]);
});

describe('docs/scheduling.md', () => {
  const specs = blocksOf(readFileSync(join(root, 'docs', 'scheduling.md'), 'utf8')).filter(
    ({ language }) => language === 'yaml',
  );
  it.each(specs.map(({ text }, at) => [at + 1, text] as const))(
    'spec %i is one the scheduler takes',
    async (_, text) => {
      const args = { p_pod: { pack: 'web', spec: parse(text) } };
      const { nodes } = await cluster.must(cluster.rpc('explain_placement', args, { as: cluster.admin }));
      expect(nodes.length).toBe(3);
    },
  );
});

function environment() {
  const { url, keys } = cluster?.stack ?? {};
  return {
    SUPABASE_URL: url ?? '',
    SUPABASE_KEY: keys?.publishable ?? '',
    EMAIL: 'admin@example.com',
    PASSWORD: password,
  };
}

/** The small cluster that the page's answers are about. */
async function fill(): Promise<void> {
  // What watches the clock would find nodes here that nobody runs.
  await cluster.database.query('select cron.unschedule(jobid) from cron.job');
  const { admin } = cluster;
  const as = (who: typeof admin, fn: string, args: object) => cluster.must(cluster.rpc(fn, args, { as: who }));
  await as(admin, 'update_cluster_config', { p_changes: { heartbeat_timeout: 3600 } });
  const dana = await cluster.person('dana', ['developer']);
  for (const version of ['1.0.0', '1.1.0']) await cluster.pack(admin, 'web', { visibility: 'public', version });
  const nodes = new Map<string, { id: string; incarnation: number }>();
  for (const [name, cpu] of [
    ['north', 1000],
    ['south', 2000],
    ['west', 4000],
  ] as const)
    nodes.set(name, await cluster.node(admin, name, { p_allocatable: { cpu } }));
  const of = (name: string) => {
    const { id, incarnation } = nodes.get(name) ?? { id: '', incarnation: 0 };
    return { p_node_id: id, p_incarnation: incarnation };
  };
  await as(admin, 'disconnect_node', of('west'));
  await as(admin, 'create_namespace', { p_name: 'shop', p_quota: { pods: 3, cpu: 2000 } });
  const pod = (who: typeof admin, name: string, node: string, version?: string) =>
    cluster.pod(who, { pack: 'web', namespace: 'shop', name, version: version ?? null, spec: { nodeName: node } });
  const first = await pod(dana, 'web-a', 'north');
  const second = await pod(dana, 'web-b', 'south', '1.0.0');
  await pod(admin, 'web-d', 'north');
  const running = (id: string) => ({ pod_id: id, status: 'running' });
  await as(admin, 'report_pods', { ...of('north'), p_reports: [running(first.id)] });
  const crash = { ...running(second.id), restarts: 4, exit_code: 1, reason: 'CrashLoopBackOff' };
  await as(admin, 'report_pods', { ...of('south'), p_reports: [crash] });
  await cluster.pod(admin, { pack: 'web', name: 'giant', spec: { resources: { requests: { cpu: 3000 } } } });
}

/** The fenced blocks of a page, each with the heading it stands under. */
function blocksOf(page: string): Block[] {
  return page.split(/^## /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf('\n'));
    return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
      heading,
      language,
      text,
    }));
  });
}

/** Each command with the answer below it; a command without one, or the reverse, is a mistake of the page. */
function pairs(blocks: Block[]): [heading: string, command: string, answer: string][] {
  if (blocks.some(({ language }, i) => language !== (i % 2 === 0 ? 'sh' : 'json')))
    throw new Error('every sh block of docs/postgrest.md is followed by the json block of its answer');
  return blocks.flatMap(({ heading, text }, i) =>
    i % 2 === 0 ? [[heading, text, blocks[i + 1]?.text ?? ''] as [string, string, string]] : [],
  );
}

/** The same value with every "…" standing for anything that is there. */
function loosely(value: unknown): unknown {
  if (value === '…') return expect.anything();
  if (Array.isArray(value)) return value.map(loosely);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, loosely(one)]));
}
