import type { StackStatus } from '@stark-o/local';
import { describe } from '../base/output.js';
import { withProgramName } from '../base/program.js';

/** What `-o json` promises of a stack, from `up` and `status` alike. */
export interface StackObject {
  state: string;
  pid: number;
  started_at: string;
  context: string | null;
  url: string;
  host: string;
  /** Where other machines reach it. */
  reachable_at: string[];
  db_url: string;
  plan: string;
  workdir: string;
  data_dir: string;
  keys: { publishable: string; secret: string; jwt_secret: string };
  services: Record<string, { url: string; healthy: boolean; detail: string | null }>;
  versions: Record<string, string>;
}

export function stackObject(status: StackStatus, context: string | null): StackObject {
  const services = Object.entries(status.services).map(([name, { url, healthy, detail }]) => {
    return [name, { url, healthy, detail: detail ?? null }] as const;
  });
  return {
    state: status.state,
    pid: status.pid,
    started_at: status.startedAt,
    context,
    url: status.url,
    host: status.host,
    reachable_at: status.reachableAt,
    db_url: status.dbUrl,
    plan: status.plan,
    workdir: status.workdir,
    data_dir: status.dataDir,
    keys: {
      publishable: status.keys.publishable,
      secret: status.keys.secret,
      jwt_secret: status.keys.jwtSecret,
    },
    services: Object.fromEntries(services),
    versions: status.versions,
  };
}

/** A stack as a person wants to see it; secrets only for who asks, since people show their screens to others. */
export function stackLines(stack: StackObject, options: { secrets: boolean }): string[] {
  const shown = (url: string) => (options.secrets ? url : url.replace(/:[^:@/]+@/, ':…@'));
  const width = Math.max(0, ...Object.keys(stack.services).map((name) => name.length));
  const services = Object.entries(stack.services).map(([name, { url, healthy, detail }]) => {
    const state = healthy ? 'healthy' : 'unhealthy';
    return `  ${name.padEnd(width)}  ${state.padEnd(9)}  ${shown(url)}${detail === null ? '' : `  (${detail})`}`;
  });
  const versions = Object.entries(stack.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ...describe([
      ['State', `${stack.state}, pid ${stack.pid}`],
      ['URL', stack.url],
      [
        'From elsewhere',
        stack.reachable_at.length === 0
          ? withProgramName('not reachable (stark up --host 0.0.0.0)')
          : stack.reachable_at,
      ],
      ['Database', shown(stack.db_url)],
      ['Publishable key', stack.keys.publishable],
      ['Secret key', options.secrets ? stack.keys.secret : withProgramName('… (stark status --show-secrets)')],
      ['Data', stack.data_dir],
      ['Project', stack.workdir],
      ['Realtime plan', stack.plan],
      ['Context', stack.context],
      ['Versions', versions],
    ]),
    'Services:',
    ...services,
  ];
}

export const isHealthy = (stack: StackObject): boolean =>
  stack.state === 'ready' && Object.values(stack.services).every(({ healthy }) => healthy);
