import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EnvironmentError, environmentOf } from '../src/node/pod-environment.js';
import { aFolder, makeChain } from './support/folder.js';
import { type PodBench, podBench } from './support/pod-bench.js';
import { aPod } from './support/pods.js';

const tls = (name: string) => fileURLToPath(new URL(`support/tls/${name}`, import.meta.url));
const certificate = readFileSync(tls('localhost.pem'), 'utf8');

let bench: PodBench;
let server: Server;
let url: string;
beforeAll(async () => {
  bench = await podBench();
  server = createServer({ key: readFileSync(tls('localhost.key')), cert: certificate }, (_request, response) => {
    response.end('private');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await bench.close();
  server.close();
  server.closeAllConnections();
});

describe.each(['process', 'worker'] as const)('a pod, isolated as %s,', (isolation) => {
  it('has a folder for what is temporary, and a home, of its own', async () => {
    const source = `
      import fs from 'node:fs'; import os from 'node:os'; import path from 'node:path';
      export default async (ctx) => {
        const made = fs.mkdtempSync(path.join(os.tmpdir(), 'x-'));
        fs.writeFileSync(path.join(made, 'file'), '1');
        fs.writeFileSync(path.join(os.homedir(), '.rc'), '1');
        console.log(JSON.stringify({ tmp: os.tmpdir(), home: os.homedir(), left: fs.readdirSync(os.tmpdir()).length }));
      };`;
    const made = await bench.run(source, { spec: { isolation } });
    expect(await made.outcome()).toMatchObject({ exitCode: 0 });
    const again = await bench.run(source, { id: made.pod.id, spec: { isolation } });
    await again.outcome();
    // What was temporary is gone with the run, what stood at home is not.
    for (const line of again.text().split('\n')) {
      expect(JSON.parse(line)).toEqual({ tmp: join(made.dataDir, '.tmp'), home: made.dataDir, left: 1 });
    }
    expect(existsSync(join(made.dataDir, '.rc'))).toBe(true);
  });

  it.each([
    ['NODE_OPTIONS', '--allow-child-process'],
    ['LD_PRELOAD', '/tmp/x.so'],
    ['NODE_V8_COVERAGE', '/tmp'],
    ['OPENSSL_CONF', '/tmp/x'],
    ['SSL_CERT_FILE', '/tmp/x'],
  ])('is refused for %s, and not tried again', async (name, value) => {
    const made = await bench.run('export default () => {}', { spec: { isolation, env: { [name]: value } } });
    expect(await made.outcome()).toMatchObject({
      exitCode: 1,
      reason: 'StartFailed',
      permanent: true,
      message: expect.stringContaining(`${name} in spec.env`),
    });
    expect(made.text()).toContain(name);
  });

  it('starts again whatever it left among what is temporary', async () => {
    const source = `
      import fs from 'node:fs'; import os from 'node:os';
      export default () => console.log(fs.readdirSync(os.tmpdir()).length);`;
    const made = await bench.run(source, { spec: { isolation } });
    await made.outcome();
    const temporary = join(made.dataDir, '.tmp');
    makeChain(temporary);
    const again = await bench.run(source, { id: made.pod.id, spec: { isolation } });
    expect(await again.outcome()).toMatchObject({ exitCode: 0 });
    // Here a link would lead the agent to change, or to remove, what is somebody else's.
    const outside = await aFolder();
    chmodSync(outside, 0o711);
    rmSync(temporary, { recursive: true });
    symlinkSync(outside, temporary);
    const third = await bench.run(source, { id: made.pod.id, spec: { isolation } });
    expect(await third.outcome()).toMatchObject({ exitCode: 0 });
    expect(third.text()).toBe('0\n0\n0');
    expect(statSync(outside).mode & 0o777).toBe(0o711);
    const besides = () => readdirSync(dirname(made.dataDir)).filter((name) => name.startsWith('.gone-'));
    await vi.waitFor(() => expect(besides()).toEqual([]), 20_000);
  });

  it('has the variables of proxies', async () => {
    const env = { HTTPS_PROXY: 'http://proxy:1', no_proxy: 'localhost' };
    const made = await bench.run('export default () => console.log(process.env.HTTPS_PROXY, process.env.no_proxy)', {
      spec: { isolation, env },
    });
    await made.outcome();
    expect(made.text()).toBe('http://proxy:1 localhost');
  });
});

describe('the variables of a pack', () => {
  it('are text, and are set, removed, listed and replaced as in any Node.js', async () => {
    const made = await bench.run(`
      import os from 'node:os'; import fs from 'node:fs'; import { env } from 'node:process';
      export default () => {
        process.env.NUMBER = 1; env.HOME = '/elsewhere'; process.env.TZ = 'Asia/Tokyo';
        const seen = [process.env.NUMBER === '1', 'NUMBER' in env, os.homedir(), new Date(0).getHours(), delete env.NUMBER, 'NUMBER' in env];
        fs.writeFileSync('.env', 'FROM_FILE=yes\\nHOME=no');
        process.loadEnvFile();
        seen.push(env.FROM_FILE, env.HOME, Object.keys(env).includes('FROM_FILE'));
        process.env = { ...process.env, ONLY: 'this' };
        console.log(JSON.stringify([...seen, process.env.ONLY, process.env.FROM_FILE]));
      };`);
    expect(await made.outcome()).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(made.text())).toEqual([
      true,
      true,
      '/elsewhere',
      9,
      true,
      false,
      'yes',
      '/elsewhere',
      true,
      'this',
      'yes',
    ]);
  });
});

describe('variables that Node.js reads when it starts', () => {
  it('are there in time', async () => {
    const made = await bench.run(
      `const zone = Intl.DateTimeFormat().resolvedOptions();
      export default () => console.log(new Date(0).getHours(), zone.timeZone, zone.locale);`,
      { spec: { env: { TZ: 'Asia/Tokyo', LC_ALL: 'de_DE.UTF-8' } } },
    );
    await made.outcome();
    expect(made.text()).toBe('9 Asia/Tokyo de-DE');
  });

  it.each(['TZ', 'LC_ALL', 'UV_THREADPOOL_SIZE', 'NODE_EXTRA_CA_CERTS'])(
    'are refused of a thread: %s',
    async (name) => {
      const made = await bench.run('export default () => {}', { spec: { isolation: 'worker', env: { [name]: '1' } } });
      expect((await made.outcome()).message).toBe(
        `${name} in spec.env is read when a process starts: it needs isolation: process`,
      );
    },
  );
});

describe('every variable that this Node.js names in its help', () => {
  /** Those that are as good late, or that no pod has a use for. */
  const LATE = ['FORCE_COLOR', 'NO_COLOR', 'NODE_DISABLE_COLORS', 'NODE_SKIP_PLATFORM_CHECK'];
  const NO_USE = ['NODE_REPL_EXTERNAL_MODULE', 'NODE_REPL_HISTORY', 'NODE_PENDING_PIPE_INSTANCES'];
  const help = execFileSync(process.execPath, ['--help'], { encoding: 'utf8' });
  const named = help.slice(help.indexOf('Environment variables:')).match(/^[A-Z][A-Z\d_]+(?=\s|$)/gm) ?? [];

  it('is there to be judged', () => {
    expect(named).toEqual(expect.arrayContaining(['NODE_PATH', 'NODE_V8_COVERAGE', 'TZ']));
  });

  it.each(named.filter((name) => ![...LATE, ...NO_USE, 'NODE_EXTRA_CA_CERTS'].includes(name)))(
    'is given at the start, or refused: %s',
    async (name) => {
      const dataDir = join(await aFolder(), 'pod', 'data');
      mkdirSync(dataDir, { recursive: true });
      let env: Record<string, string> = {};
      try {
        env = environmentOf(aPod({ spec: { env: { [name]: '1' } } }), 'node', dataDir);
      } catch (error) {
        expect(error).toBeInstanceOf(EnvironmentError);
        expect(String(error)).toContain(name);
        return;
      }
      expect(env).toMatchObject({ [name]: '1' });
    },
  );
});

describe('certificates', () => {
  const ask = `export default async (ctx) => console.log(await (await fetch(ctx.config.url)).text());`;
  beforeEach(() => {
    vi.stubEnv('NODE_EXTRA_CA_CERTS', undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('that nobody knows are refused', async () => {
    const made = await bench.run(ask, { spec: { config: { url } } });
    expect((await made.outcome()).message).toContain('self-signed certificate');
  });

  it.each([
    ['named by a file', tls('localhost.pem')],
    ['written out', certificate],
    ['written out beside other text', `# ours\n${certificate}`],
  ])('of the pod are trusted, %s', async (_what, value) => {
    const made = await bench.run(ask, { spec: { config: { url }, env: { NODE_EXTRA_CA_CERTS: value } } });
    await made.outcome();
    expect(made.text()).toBe('private');
  });

  it('of the pod are read from its own folder, and again after a restart', async () => {
    const env = { NODE_EXTRA_CA_CERTS: 'own.pem' };
    const first = await bench.run(ask, { spec: { config: { url }, env } });
    expect(await first.outcome()).toMatchObject({ permanent: true, message: expect.stringContaining('own.pem') });
    await writeFile(join(first.dataDir, 'own.pem'), certificate);
    const second = await bench.run(ask, { id: first.pod.id, spec: { config: { url }, env } });
    await second.outcome();
    expect(second.text()).toMatch(/private$/);
  });

  it.each(['process', 'worker'] as const)('of the agent are trusted by a pod, isolated as %s', async (isolation) => {
    vi.stubEnv('NODE_EXTRA_CA_CERTS', tls('localhost.pem'));
    const made = await bench.run(ask, { spec: { isolation, config: { url } }, owner: isolation });
    await made.outcome();
    expect(made.text()).toBe('private');
  });

  it.each([
    ['a key', tls('localhost.key')],
    ['a file that is not there', '/nowhere.pem'],
    ['a folder', '/tmp'],
    ['a device', '/dev/zero'],
    ['text that is none', '-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----'],
  ])('are not taken from %s', async (_what, value) => {
    const made = await bench.run('export default () => {}', { spec: { env: { NODE_EXTRA_CA_CERTS: value } } });
    expect((await made.outcome()).message).toMatch(/there are no certificates in/);
  });

  it('come without what stands beside them', async () => {
    const secret = join(bench.folder, 'both.pem');
    await writeFile(secret, `${readFileSync(tls('localhost.key'), 'utf8')}${certificate}`);
    const made = await bench.run(
      `import { readFileSync } from 'node:fs';
      export default () => console.log(readFileSync(process.env.NODE_EXTRA_CA_CERTS, 'utf8').match(/-----BEGIN.*/g).join());`,
      { spec: { env: { NODE_EXTRA_CA_CERTS: secret } } },
    );
    await made.outcome();
    expect(made.text()).toBe('-----BEGIN CERTIFICATE-----');
  });
});
