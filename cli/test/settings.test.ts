import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { StarkError } from '@stark-o/core/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Contexts } from '../src/config/contexts.js';
import { configDirectory, upwards } from '../src/config/directories.js';
import { writePrivateJson } from '../src/config/files.js';
import { isTrusted } from '../src/config/owner.js';
import { resolveSettings } from '../src/config/settings.js';
import { Connection } from '../src/session/connection.js';
import { addLocalContext, findWorkdir } from '../src/stack/place.js';
import { Machine, temporaryFolder } from './support/run.js';

const base = temporaryFolder();
let count = 0;
let home: string;
let project: string;
let contexts: Contexts;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  home = join(base, `home-${count++}`);
  project = join(home, 'project', 'deep', 'down');
  mkdirSync(project, { recursive: true });
  env = { XDG_CONFIG_HOME: join(home, 'xdg') };
  contexts = new Contexts(join(home, 'xdg', 'stark'));
});

const resolve = (flags = {}, more: NodeJS.ProcessEnv = {}) =>
  resolveSettings({ flags, env: { ...env, ...more }, cwd: project, home });

describe('a setting comes from', () => {
  it('the default, then the folder of old, the context, the project, the variable, the flag', async () => {
    const origin = async (flags = {}, more = {}) => {
      const { value, origin: from } = (await resolve(flags, more)).all.namespace;
      return [value, from];
    };
    expect(await origin()).toEqual(['default', 'default']);

    mkdirSync(join(home, '.stark'));
    const old = join(home, '.stark', 'config.json');
    writeFileSync(
      old,
      JSON.stringify({ defaultNamespace: 'of-old', supabaseUrl: 'http://old:1/', defaultOutputFormat: 'plain' }),
    );
    expect(await origin()).toEqual(['of-old', old]);
    expect(await resolve()).toMatchObject({ url: 'http://old:1', output: 'table' });

    await contexts.save('local', { url: 'http://127.0.0.1:1', key: 'k', namespace: 'of-context' });
    await contexts.use('local');
    expect(await origin()).toEqual(['of-context', contexts.path('local')]);

    const file = join(home, 'project', 'stark.json');
    writeFileSync(file, JSON.stringify({ namespace: 'of-project' }));
    expect(await origin()).toEqual(['of-project', file]);

    const variable = { STARK_NAMESPACE: 'of-variable' };
    expect(await origin({}, variable)).toEqual(['of-variable', 'variable STARK_NAMESPACE']);
    expect(await origin({ namespace: 'of-flag' }, variable)).toEqual(['of-flag', 'flag --namespace']);
  });

  it('another context when a flag, a variable or the project names one', async () => {
    await contexts.save('local', { url: 'http://local:1', key: 'a' });
    await contexts.save('far', { url: 'https://far.example', key: 'b' });
    await contexts.use('local');
    expect((await resolve()).url).toBe('http://local:1');
    expect((await resolve({ context: 'far' })).url).toBe('https://far.example');
    expect((await resolve({}, { STARK_CONTEXT: 'far' })).key).toBe('b');
    writeFileSync(join(project, 'stark.json'), '{"context":"far"}');
    expect((await resolve()).url).toBe('https://far.example');
  });
});

describe('variables that other programs read too', () => {
  const general = { SUPABASE_URL: 'https://abc.supabase.co/', SUPABASE_ANON_KEY: 'anon' };

  it('name a cluster where no context does, and the key goes nowhere else', async () => {
    const settings = await resolve({}, general);
    expect(settings).toMatchObject({ url: 'https://abc.supabase.co', key: 'anon' });
    expect(settings.all.url.origin).toBe('variable SUPABASE_URL');
    expect((await resolve({ url: 'https://other.example' }, general)).key).toBeUndefined();
    expect((await resolve({ url: 'https://abc.supabase.co' }, general)).key).toBe('anon');
    expect(await resolve({}, { ...general, STARK_URL: 'http://mine:1', STARK_KEY: 'k' })).toMatchObject({ key: 'k' });
    await contexts.save('local', { url: 'http://local:1', key: 'of-context' });
    await contexts.use('local');
    expect(await resolve({}, general)).toMatchObject({ url: 'http://local:1', key: 'of-context' });
  });
});

describe('the session of earlier versions', () => {
  const old = (file: string, value: object) => {
    mkdirSync(join(home, '.stark'), { recursive: true });
    writeFileSync(join(home, '.stark', file), JSON.stringify(value));
  };
  const session = { accessToken: 'a.b.c', refreshToken: 'r', userId: 'u', email: 'ada@example.com' };
  const connect = async (flags = {}) => new Connection(await resolve(flags), false);

  it.each<[string, unknown]>([
    ['seconds', 4102444800],
    ['milliseconds', 4102444800000],
    ['a date', '2100-01-01T00:00:00Z'],
  ])('is read at its place, its end in %s, until somebody signs in or out', async (_, expiresAt) => {
    old('config.json', { supabaseUrl: 'http://old:1', supabaseAnonKey: 'k' });
    old('credentials.json', { ...session, expiresAt });
    const { sessions } = await connect();
    expect(await sessions.read()).toEqual({ ...session, expiresAt: 4102444800 });
    await sessions.write({ ...session, accessToken: 'd.e.f', expiresAt: 1 });
    expect(await sessions.read()).toMatchObject({ accessToken: 'd.e.f' });
    expect(await sessions.clear()).toBe(true);
    expect(await sessions.read()).toBeUndefined();
  });

  it('goes to no other place', async () => {
    old('config.json', { supabaseUrl: 'http://old:1', supabaseAnonKey: 'k' });
    old('credentials.json', { ...session, expiresAt: 4102444800 });
    expect(await (await connect({ url: 'http://evil:1', key: 'k' })).sessions.read()).toBeUndefined();
  });
});

describe('the first error', () => {
  const connect = async (flags = {}, more = {}) => new Connection(await resolve(flags, more), false);

  it('says what to type where there is no cluster, or no key', async () => {
    await expect(connect()).rejects.toMatchObject({
      code: 'NO_CLUSTER',
      exitCode: 2,
      hint: expect.stringMatching(/^stark up .*stark context set <name> --url/),
    });
    await expect(connect({ url: 'https://abc.supabase.co' })).rejects.toMatchObject({
      message: 'no key is known for https://abc.supabase.co (flag --url)',
      hint: expect.stringContaining('stark context set <name> --url https://abc.supabase.co --key'),
    });
  });

  it('says that a token is none, and which one was not taken', async () => {
    const place = { STARK_URL: 'http://x:1', STARK_KEY: 'k' };
    await expect((await connect({}, { ...place, STARK_TOKEN: 'garbage' })).accessToken()).rejects.toMatchObject({
      message: 'the access token (variable STARK_TOKEN) is none: it has to be a JWT',
      exitCode: 4,
    });
    const refused = new StarkError('the session is not valid', { code: 'NOT_SIGNED_IN', hint: 'stark auth login' });
    expect((await connect({}, { ...place, STARK_TOKEN: 'a.b.c' })).explain(refused)).toMatchObject({
      message: expect.stringContaining('does not accept STARK_TOKEN'),
      hint: expect.stringContaining('unset STARK_TOKEN'),
    });
    expect((await connect({}, place)).explain(refused)).toBe(refused);
  });

  it('waits for an answer only as long as it was told to', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const machine = new Machine();
      const args = ['pod', 'list', '--request-timeout', '300ms'];
      const env = { STARK_URL: url, STARK_KEY: 'k', STARK_TOKEN: 'a.b.c' };
      expect(await machine.run(args, { env })).toMatchObject({
        code: 8,
        stderr: expect.stringContaining(`no answer from ${url} within 300ms (UNREACHABLE)`),
      });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
    expect((await resolve({ 'request-timeout': '5' })).requestTimeoutMs).toBe(5_000);
    expect((await resolve({ 'request-timeout': '0' })).requestTimeoutMs).toBeUndefined();
    await expect(resolve({ 'request-timeout': 'soon' })).rejects.toThrow(/request timeout "soon"/);
  });
});

describe('the context of a stack that starts', () => {
  const up = { key: 'k', url: 'http://127.0.0.1:5', dataDir: '/one' };
  const running = new Set<string>();
  const isRunning = async (dataDir: string) => running.has(dataDir);
  const add = async (stack: typeof up) => {
    process.env.STARK_CONFIG_DIR = join(home, 'xdg', 'stark');
    try {
      return await addLocalContext(stack, isRunning);
    } finally {
      delete process.env.STARK_CONFIG_DIR;
    }
  };
  beforeEach(() => running.clear());

  it('is local, and in force where none is, or one of a stack that is down', async () => {
    expect(await add(up)).toEqual({ name: 'local', current: 'local' });
    expect(await add({ ...up, dataDir: '/two' })).toEqual({ name: 'local', current: 'local' });
    expect((await contexts.list()).map(({ name, dataDir }) => [name, dataDir])).toEqual([['local', '/two']]);
  });

  it('takes nothing from one that runs, however often it starts', async () => {
    await add(up);
    running.add('/one');
    const second = { ...up, url: 'http://127.0.0.1:6', dataDir: '/two' };
    expect(await add(second)).toEqual({ name: 'local-6', current: 'local' });
    expect(await add({ ...second, url: 'http://127.0.0.1:7' })).toEqual({ name: 'local-6', current: 'local' });
    expect(await add(up)).toEqual({ name: 'local', current: 'local' });
    expect(await contexts.current()).toBe('local');
    expect((await contexts.get('local-6')).url).toBe('http://127.0.0.1:7');
  });

  it('takes nothing from one that leads to another machine', async () => {
    await contexts.save('production', { url: 'https://abc.supabase.co', key: 'k' });
    await contexts.use('production');
    expect(await add(up)).toEqual({ name: 'local', current: 'production' });
    await contexts.save('local', { url: 'https://not-ours.example', key: 'k' });
    expect(await add({ ...up, dataDir: '/two' })).toMatchObject({ name: 'local-5', current: 'production' });
    expect((await contexts.get('local')).url).toBe('https://not-ours.example');
  });
});

describe('commands about a cluster of this machine', () => {
  it.each([['status'], ['down'], ['up', '--detach']])('refuse a context that is none: stark %s', async (...words) => {
    const machine = new Machine();
    const far = ['--url', 'https://abc.supabase.co', '--key', 'sb_publishable_x'];
    expect((await machine.run(['context', 'set', 'prod', ...far])).stdout).toContain('the one in force');
    expect((await machine.run(['context', 'set', 'other', ...far])).stdout).not.toContain('in force');
    for (const context of words[0] === 'up' ? [['--context', 'prod']] : [['--context', 'prod'], []]) {
      expect(await machine.run([...words, ...context])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining(
          'context prod is https://abc.supabase.co, no cluster that runs on this machine',
        ),
      });
    }
    expect(await machine.run([...words, '--context', 'prodd'])).toMatchObject({ code: 6 });
  });
});

describe('a cloned repository', () => {
  const evil = 'https://evil.example';
  const clone = (settings: object) => writeFileSync(join(home, 'project', 'stark.json'), JSON.stringify(settings));
  const connect = async (flags = {}, more: NodeJS.ProcessEnv = {}) => new Connection(await resolve(flags, more), false);
  const refused = (variable: string) => ({
    code: 'USAGE',
    message: `${variable} is not sent to ${evil}, which only ${join(home, 'project', 'stark.json')} names`,
    hint: expect.stringContaining(`STARK_URL=${evil}`),
  });

  it.each(['STARK_TOKEN', 'STARK_KEY'])('does not get %s by naming a URL', async (variable) => {
    clone({ url: evil, key: 'sb_publishable_evil' });
    const secret = { [variable]: 'header.payload.secret' };
    await expect(connect({}, secret)).rejects.toMatchObject(refused(variable));
    // Said by who runs the command, the same place is theirs.
    for (const [flags, more] of [
      [{ url: evil }, {}],
      [{}, { STARK_URL: evil }],
    ] as const) {
      expect((await connect(flags, { ...secret, ...more })).url).toBe(evil);
    }
    await contexts.save('chosen', { url: evil, key: 'k' });
    await contexts.use('chosen');
    clone({ namespace: 'x' });
    expect((await connect({}, secret)).url).toBe(evil);
  });

  it.each(['STARK_TOKEN', 'STARK_KEY'])('does not send %s to another context by naming that', async (variable) => {
    await contexts.save('other', { url: evil, key: 'of-other' });
    await contexts.save('local', { url: 'http://local:1', key: 'of-local' });
    const secret = { [variable]: 'header.payload.secret' };
    const byContext = { ...refused(variable), hint: expect.stringContaining('STARK_CONTEXT=other') };
    clone({ context: 'other' });
    // None is current, then another one.
    await expect(connect({}, secret)).rejects.toMatchObject(byContext);
    await contexts.use('local');
    await expect(connect({}, secret)).rejects.toMatchObject(byContext);
    // A file may name its own key too; what is no secret of the environment goes on.
    expect(await connect()).toMatchObject({ url: evil, key: 'of-other' });
    for (const [flags, more] of [
      [{ context: 'other' }, {}],
      [{}, { STARK_CONTEXT: 'other' }],
      [{ url: evil }, {}],
    ] as const) {
      expect((await connect(flags, { ...secret, ...more })).url).toBe(evil);
    }
    await contexts.use('other');
    expect((await connect({}, secret)).url).toBe(evil);
  });

  it('does not get the key of the context, unless that is of the same place', async () => {
    await contexts.save('local', { url: 'http://local:1', key: 'of-context' });
    await contexts.use('local');
    clone({ url: evil });
    await expect(connect()).rejects.toMatchObject({ message: expect.stringContaining(`no key is known for ${evil}`) });
    clone({ url: 'http://local:1/' });
    expect((await connect()).key).toBe('of-context');
  });

  it.each<[string, string[], Record<string, string>]>([
    ['STARK_TOKEN', ['pod', 'list'], { STARK_TOKEN: 'a.b.c' }],
    ['STARK_TOKEN', ['node', 'agent', 'start', '--name', 'n1'], { STARK_TOKEN: 'a.b.c' }],
    ['STARK_AUTH_TOKEN', ['node', 'agent', 'start', '--name', 'n1'], { STARK_AUTH_TOKEN: 'stark_join_a_b' }],
    ['STARK_PASSWORD', ['node', 'agent', 'start', '--name', 'n1', '--email', 'a@example.com'], { STARK_PASSWORD: 'x' }],
    ['STARK_PASSWORD', ['auth', 'login', '--email', 'a@example.com'], { STARK_PASSWORD: 'x' }],
    ['STARK_SECRET_KEY', ['auth', 'setup', '--email', 'a@example.com'], { STARK_SECRET_KEY: 'sb_secret_x' }],
  ])('sees nothing of %s, by URL or by context: stark %s', async (variable, args, secret) => {
    const seen: string[] = [];
    const thief = createServer((request, response) => {
      seen.push(JSON.stringify([request.url, request.headers]));
      request.on('data', (chunk) => seen.push(String(chunk)));
      request.on('end', () => response.end('{"needed":true}'));
    }).listen(0, '127.0.0.1');
    await once(thief, 'listening');
    try {
      const machine = new Machine();
      const url = `http://127.0.0.1:${(thief.address() as AddressInfo).port}`;
      const context = { url, key: 'sb_publishable_evil' };
      const set = ['context', 'set', 'other', '--url', url, '--key', context.key];
      expect(await machine.run(set)).toMatchObject({ code: 0 });
      expect(await machine.run(['context', 'set', 'mine', '--url', 'http://127.0.0.1:9', '--key', 'k'])).toMatchObject({
        code: 0,
      });
      expect(await machine.run(['context', 'use', 'mine'])).toMatchObject({ code: 0 });
      for (const project of [context, { context: 'other' }]) {
        writeFileSync(join(machine.home, 'stark.json'), JSON.stringify(project));
        const result = await machine.run(args, { env: secret });
        expect(result).toMatchObject({ code: 2, stdout: '' });
        expect(result.stderr).toContain(`${variable} is not sent to ${url}, which only `);
      }
      expect(seen.join()).not.toContain(Object.values(secret)[0]);
    } finally {
      thief.closeAllConnections();
      thief.close();
    }
  });
});

describe('a file of somebody else', () => {
  /** Lets a file be another user's, also where root runs the test. */
  function give(path: string): void {
    if (process.getuid?.() === 0) lchownSync(path, 4711, 4711);
    else vi.spyOn(process, 'geteuid').mockReturnValue(4711);
  }
  afterEach(() => vi.restoreAllMocks());
  const file = () => join(home, 'project', 'stark.json');
  const refused = (path: string) => ({
    code: 'USAGE',
    message: expect.stringMatching(new RegExp(`^${path} belongs to user \\d+, not to you, and is not read$`)),
    hint: expect.stringContaining(`STARK_SAFE_DIRECTORY=${dirname(path)}`),
  });

  it('is not read as the project’s settings, and the error says what to do', async () => {
    writeFileSync(file(), '{"namespace":"theirs"}');
    give(file());
    await expect(resolve()).rejects.toMatchObject(refused(file()));
    const trusted = { STARK_SAFE_DIRECTORY: [join(home, 'other'), join(home, 'project')].join(':') };
    vi.stubEnv('STARK_SAFE_DIRECTORY', trusted.STARK_SAFE_DIRECTORY);
    expect((await resolve()).namespace).toBe('theirs');
    vi.stubEnv('STARK_SAFE_DIRECTORY', join(home, 'proj'));
    await expect(resolve()).rejects.toMatchObject(refused(file()));
    vi.unstubAllEnvs();
  });

  it('is not read through a link of theirs either', async () => {
    const mine = join(home, 'mine.json');
    writeFileSync(mine, '{"namespace":"mine"}');
    symlinkSync(mine, file());
    expect((await resolve()).namespace).toBe('mine');
    give(file());
    await expect(resolve()).rejects.toMatchObject(refused(file()));
  });

  it('is not read as a context, as the current one, or as the settings of old', async () => {
    await contexts.save('local', { url: 'http://local:1', key: 'a' });
    await contexts.use('local');
    mkdirSync(join(home, '.stark'));
    const old = join(home, '.stark', 'config.json');
    writeFileSync(old, '{}');
    for (const path of [contexts.path('local'), join(home, 'xdg', 'stark', 'config.json'), old]) {
      give(path);
      await expect(resolve()).rejects.toMatchObject({ message: expect.stringContaining('belongs to user') });
      if (process.getuid?.() === 0) lchownSync(path, 0, 0);
      vi.restoreAllMocks();
      expect((await resolve()).url).toBe('http://local:1');
    }
  });

  it('is no project whose functions a stack would run', async () => {
    mkdirSync(join(home, 'project', 'supabase'));
    const path = join(home, 'project', 'supabase', 'config.toml');
    writeFileSync(path, '');
    expect(await findWorkdir(project)).toBe(join(home, 'project'));
    give(path);
    await expect(findWorkdir(project)).rejects.toMatchObject({ message: expect.stringContaining('is not read') });
  });

  it('is read when it is root’s, as in a container that mounts it', async () => {
    writeFileSync(file(), '{"namespace":"of-root"}');
    expect(isTrusted(0)).toBe(true);
    vi.spyOn(process, 'geteuid').mockReturnValue(1000);
    expect([0, 1000, 1001].map((uid) => isTrusted(uid))).toEqual([true, true, false]);
    vi.spyOn(process, 'geteuid').mockReturnValue(0);
    // Who became root by sudo is still who they were.
    expect([1000, 1001].map((uid) => isTrusted(uid, { SUDO_UID: '1000' }))).toEqual([true, false]);
    expect(isTrusted(1000, {})).toBe(false);
  });
});

describe('settings that cannot be', () => {
  it.each<[string, () => void, object, object, RegExp, string]>([
    ['a context that is not there', () => {}, { context: 'fra' }, {}, /no context named "fra"/, 'CONTEXT_NOT_FOUND'],
    [
      'an unknown key',
      () => writeFileSync(join(project, 'stark.json'), '{"namspace":"x"}'),
      {},
      {},
      /unknown key "namspace"; did you mean "namespace"/,
      'USAGE',
    ],
    [
      'broken JSON',
      () => writeFileSync(join(project, 'stark.json'), '{'),
      {},
      {},
      /stark.json is not valid JSON/,
      'USAGE',
    ],
    [
      'a value that is no text',
      () => writeFileSync(join(project, 'stark.json'), '{"url":1}'),
      {},
      {},
      /"url" must be a string/,
      'USAGE',
    ],
    ['a list', () => writeFileSync(join(project, 'stark.json'), '[]'), {}, {}, /must hold a JSON object/, 'USAGE'],
    [
      'a URL that is none',
      () => {},
      { url: 'nonsense' },
      {},
      /"nonsense" \(flag --url\) is no http or https URL/,
      'USAGE',
    ],
    ['a URL of another kind', () => {}, {}, { STARK_URL: 'ws://x' }, /"ws:\/\/x" \(variable STARK_URL\)/, 'USAGE'],
    ['a context name that is a path', () => {}, { context: '../x' }, {}, /is no context name/, 'USAGE'],
  ])('%s', async (_, prepare, flags, more, message, code) => {
    prepare();
    await expect(resolve(flags, more as NodeJS.ProcessEnv)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      code,
    });
  });

  it('an output format of the variable', async () => {
    const settings = await resolve({}, { STARK_OUTPUT: 'xml' });
    expect(() => settings.output).toThrow('output "xml" (variable STARK_OUTPUT) is none of');
  });
});

describe('files', () => {
  it('are where XDG says', () => {
    expect(configDirectory({ STARK_CONFIG_DIR: '/a', XDG_CONFIG_HOME: '/b' }, '/h')).toBe('/a');
    expect(configDirectory({ XDG_CONFIG_HOME: '/b' }, '/h')).toBe('/b/stark');
    expect(configDirectory({}, '/h')).toBe('/h/.config/stark');
    expect([...upwards('/a/b')]).toEqual(['/a/b', '/a', '/']);
  });

  it('are private, in a private folder, also one that was open before', async () => {
    const folder = join(home, 'open');
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    await writePrivateJson(join(folder, 'a.json'), { a: 1 });
    expect(statSync(join(folder, 'a.json')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('are written whole or not at all', async () => {
    const path = join(home, 'a.json');
    await Promise.all(Array.from({ length: 30 }, (_, n) => writePrivateJson(path, { n, long: 'x'.repeat(50_000) })));
    expect(JSON.parse(readFileSync(path, 'utf8')).long).toHaveLength(50_000);
    expect(readdirSync(home).filter((name) => name.includes('tmp'))).toEqual([]);
  });
});

describe('contexts', () => {
  it('are kept, changed, chosen and forgotten by command', async () => {
    const machine = new Machine();
    const set = await machine.run([
      'context',
      'set',
      'far',
      '--url',
      'https://far.example/',
      '--key',
      'sb_publishable_abcdefghijkl',
    ]);
    expect(set, set.stderr).toMatchObject({ code: 0, stdout: 'context far (https://far.example), the one in force\n' });
    expect(await machine.run(['context', 'set', 'near', '--url', 'https://near.example'])).toMatchObject({ code: 2 });
    expect(await machine.run(['context', 'use', 'fra'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('did you mean "far"'),
    });
    expect((await machine.run(['context', 'use', 'far'])).code).toBe(0);
    expect((await machine.run(['context', 'set', 'far', '--namespace', 'team-a'])).code).toBe(0);
    const list = await machine.run(['context', 'list', '--json']);
    expect(list.stdout).not.toContain('abcdefghijkl');
    expect(JSON.parse(list.stdout)).toMatchObject([
      { name: 'far', current: true, url: 'https://far.example', namespace: 'team-a' },
    ]);
    expect((await machine.run(['context', 'show', '-o', 'name'])).stdout).toBe('context/far\n');
    expect(await machine.run(['context', 'delete', 'far'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes is needed'),
    });
    expect(existsSync(join(machine.config, 'contexts', 'far.json'))).toBe(true);
    expect(await machine.run(['context', 'delete', 'far', '--yes'])).toMatchObject({
      code: 0,
      stdout: 'context/far deleted\n',
    });
    expect((await machine.run(['context', 'list', '--json'])).stdout).toBe('[]\n');
  });

  it('say where each setting comes from, without secrets', async () => {
    const machine = new Machine();
    const { stdout } = await machine.run(['config', 'view', '--show-origin', '--namespace', 'x'].slice(0, 3), {
      env: { STARK_TOKEN: 'eyJhbGciOiJIUzI1NiJ9.secret.secret', STARK_NAMESPACE: 'x' },
    });
    expect(stdout).not.toContain('secret.secret');
    expect(stdout).toMatch(/^NAME +VALUE +ORIGIN$/m);
    expect(stdout).toMatch(/^namespace +x +variable_STARK_NAMESPACE$/m);
    expect(stdout).toMatch(/^url +http:\/\/127\.0\.0\.1:54321 +default$/m);
  });
});
