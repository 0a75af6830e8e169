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
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Contexts } from '../src/config/contexts.js';
import { configDirectory, upwards } from '../src/config/directories.js';
import { writePrivateJson } from '../src/config/files.js';
import { isTrusted } from '../src/config/owner.js';
import { resolveSettings } from '../src/config/settings.js';
import { Connection } from '../src/session/connection.js';
import { findWorkdir } from '../src/stack/place.js';
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
    await expect(connect()).rejects.toMatchObject({ message: `no key is known for ${evil}` });
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
  /** Lets a file be another user's, whoever runs the test. */
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
    expect(set, set.stderr).toMatchObject({ code: 0, stdout: 'context far (https://far.example)\n' });
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
