import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadProject } from '../src/project/load.js';
import { Machine, temporaryFolder } from './support/run.js';

const machine = new Machine();
let folder: string;
beforeEach(() => {
  folder = join(temporaryFolder(), 'My Shop');
  mkdirSync(folder, { recursive: true });
});

const init = (...args: string[]) => machine.run(['init', ...args, '--output', 'json'], { cwd: folder });
const put = (files: Record<string, unknown>) => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
};
const objects = async () => (await loadProject([folder], { namespace: 'default' })).objects;
const config = () => readFileSync(join(folder, 'stark.yaml'), 'utf8');

describe('stark init', () => {
  it('makes a project of an empty folder, which is read and bundled as it stands', async () => {
    put({ '.git/HEAD': '', 'README.md': '# mine' });
    const { stdout, code } = await init();
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'my-shop', framework: null });
    expect(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).toMatchObject({
      name: 'my-shop',
      version: '0.1.0',
    });
    expect(await objects()).toMatchObject([
      { kind: 'pack', fields: { source: '.' } },
      { kind: 'deployment', fields: { name: 'my-shop', pack: 'my-shop', replicas: 1 } },
    ]);
    const bundled = await machine.run(['pack', 'bundle', '.', '--output', 'json'], { cwd: folder });
    expect(JSON.parse(bundled.stdout)).toMatchObject({ name: 'my-shop', runtime: 'node', ports: ['http'] });
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('.stark/\n');
  });

  it('names the JSON Schema in the first line of its file', async () => {
    await init();
    const [first = ''] = config().split('\n');
    const path = /^# yaml-language-server: \$schema=(.+)$/.exec(first)?.[1] ?? '';
    expect(JSON.parse(readFileSync(resolve(folder, path), 'utf8'))).toMatchObject({ $id: 'stark:project/v1' });
  });

  it('begins with another example, in a folder that it makes', async () => {
    expect((await init('site/new', '--template', 'pi', '--name', '@acme/pi')).code).toBe(0);
    folder = join(folder, 'site', 'new');
    expect(await objects()).toMatchObject([{}, { fields: { name: 'pi', pack: '@acme/pi' } }]);
  });

  it.each(['123', 'true', 'null', '1e5', '0x1f'])('names a project so that YAML reads a text: %s', async (name) => {
    expect((await init('--name', name)).code).toBe(0);
    expect(await objects()).toMatchObject([{}, { fields: { name, pack: name } }]);
  });

  it('finds package.json, framework and entry of a project, and puts a pack beside a program that exports none', async () => {
    put({
      'package.json': { name: 'api', version: '2.0.0', main: 'server.js', dependencies: { express: '5' } },
      'server.js': 'require("express")().listen(3000)',
      '.gitignore': 'node_modules',
    });
    const before = readFileSync(join(folder, 'package.json'), 'utf8');
    const { stdout } = await init();
    expect(JSON.parse(stdout)).toEqual({
      ...{ name: 'api', folder, framework: 'Express' },
      files: ['src/pack.js', 'stark.yaml', '.gitignore'],
    });
    expect(await objects()).toMatchObject([
      { kind: 'pack', fields: { source: './src/pack.js', runtime: 'node', ports: [{ name: 'http' }] } },
      { kind: 'deployment', fields: { pack: 'api' } },
    ]);
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).toBe(before);
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('node_modules\n.stark/\n');
    const args = ['pack', 'bundle', 'src/pack.js', '--runtime', 'node', '--output', 'json'];
    expect((await machine.run(args, { cwd: folder })).code).toBe(0);
  });

  it.each([
    [
      'a pack that says so',
      { 'package.json': { name: 'p', version: '1.0.0', stark: { entry: 'a.js' } }, 'a.js': '' },
      { source: '.' },
      null,
    ],
    [
      'an entry that is one',
      { 'src/index.js': 'export default async function run() {}' },
      { source: './src/index.js', version: '0.1.0' },
      null,
    ],
    ['a page', { 'index.html': '<p>' }, { source: '.', runtime: 'isomorphic' }, 'a page'],
    ['Vite', { 'index.html': '', 'vite.config.ts': '' }, { runtime: 'isomorphic' }, 'Vite'],
    ['Nuxt', { 'nuxt.config.ts': '' }, { source: '.', runtime: 'isomorphic' }, 'Nuxt'],
  ])('takes %s as it is', async (_what, files, pack, framework) => {
    put(files);
    const { stdout } = await init();
    expect(JSON.parse(stdout)).toMatchObject({ framework, files: ['stark.yaml', '.gitignore'] });
    expect(await objects()).toMatchObject([{ kind: 'pack', fields: pack }, { kind: 'deployment' }]);
  });

  it('overwrites nothing, and leaves a project of Stark alone', async () => {
    put({ 'package.json': { name: 'api' }, 'server.js': '', 'src/pack.js': 'mine' });
    expect(await init()).toMatchObject({ code: 2, stdout: '' });
    expect(readFileSync(join(folder, 'src/pack.js'), 'utf8')).toBe('mine');
    expect(existsSync(join(folder, 'stark.yaml'))).toBe(false);
    put({ 'stark.yaml': 'name: x\n' });
    expect(await init()).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
    expect(config()).toBe('name: x\n');
    expect(readdirSync(folder).sort()).toEqual(['package.json', 'server.js', 'src', 'stark.yaml']);
  });

  it.each([
    [['--name', 'Not A Name'], {}],
    [['--template', 'pi'], { 'package.json': { name: 'x' } }],
    [[], { 'package.json': '{' }],
  ])('refuses %j', async (args, files) => {
    put(files);
    expect(await init(...args)).toMatchObject({ code: 2, stdout: '' });
    expect(existsSync(join(folder, 'stark.yaml'))).toBe(false);
  });
});
