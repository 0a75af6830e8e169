import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StarkError } from '@stark-o/core/errors';
import { describe, expect, it } from 'vitest';
import { findProjectFile, loadProject } from '../src/project/load.js';
import { temporaryFolder } from './support/run.js';

const folder = temporaryFolder();
let files = 0;

/** Writes files into a folder of their own, and gives its path. */
function written(contents: Readonly<Record<string, string>>): string {
  const place = join(folder, String(files++));
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(place, name)), { recursive: true });
    writeFileSync(join(place, name), text);
  }
  return place;
}

const load = (...paths: string[]) => loadProject(paths, { namespace: 'default' });

/** What is said of a file that is wrong, its folder left out. */
async function refusal(name: string, text: string): Promise<{ message: string; details: unknown; code: string }> {
  const place = written({ [name]: text });
  const error = await load(join(place, name)).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof StarkError)) throw new Error(`not refused: ${String(error)}`);
  const short = (said: unknown) => JSON.parse(JSON.stringify(said ?? null).replaceAll(`${place}/`, ''));
  return { message: short(error.message), details: short(error.details), code: error.code };
}

describe('files of a project', () => {
  it('are YAML with several documents, JSON and TypeScript, alone or together', async () => {
    const place = written({
      'a.yaml':
        '# nothing\n---\nname: shop\nnamespace: team-a\ndeployments:\n  - name: web\n    pack: alpha\n---\nkind: Pod\nname: one\npack: alpha\n',
      'b.json': '{\n\t"kind": "namespace",\n\t"name": "team-a"\n}\n',
      'package.json': '{"name": "not-ours"}',
      'notes.txt': 'no manifest',
      'deeper/c.yaml': 'roles: [{name: looker, permissions: [pods:get]}]',
      'own/stark.config.ts': `
        import { defineConfig } from '@stark-o/core/config';
        import { replicas } from './amounts';
        export default defineConfig(async () => ({}) as never) && (async () => defineConfig({
          name: 'own', deployments: [{ name: 'web', pack: 'alpha', replicas }],
        }));`,
      'own/amounts.ts': 'export const replicas: number = 4;',
    });
    const flat = await load(place);
    expect(flat.name).toBe('shop');
    expect(
      flat.objects.map(({ kind, fields, place: at }) => [kind, fields.namespace, at.replace(`${place}/`, '')]),
    ).toEqual([
      ['deployment', 'team-a', 'a.yaml:6:5'],
      ['pod', 'default', 'a.yaml:9:1'],
      ['namespace', undefined, 'b.json:1:1'],
    ]);
    const deep = await loadProject([join(place, 'a.yaml'), join(place, 'deeper')], {
      namespace: 'other',
      recursive: true,
    });
    expect(deep.objects.map(({ kind }) => kind)).toEqual(['deployment', 'pod', 'role']);
    expect(deep.objects[1]?.fields.namespace).toBe('other');
    const own = await load(join(place, 'own'));
    expect([own.name, own.objects[0]?.fields, own.objects[0]?.directory]).toEqual([
      'own',
      { name: 'web', namespace: 'default', pack: 'alpha', replicas: 4 },
      join(place, 'own'),
    ]);
    expect(await findProjectFile(join(place, 'own'))).toBe(join(place, 'own', 'stark.config.ts'));
    expect(await findProjectFile(place)).toBeUndefined();
  });

  it.each<[what: string, name: string, text: string, message: RegExp]>([
    ['broken YAML', 'a.yaml', 'name: shop\ndeployments:\n  - name: [web\n', /^a\.yaml:\d+:\d+: /],
    ['a tab for an indentation', 'a.yaml', 'clusterConfig:\n\tliveness: fast\n', /^a\.yaml:2:1: /],
    ['two fields of a name', 'a.yaml', 'name: a\nname: b\n', /^a\.yaml:2:1: map keys must be unique/],
    ['broken JSON', 'a.json', '{\n  "name": "shop",\n  "deployments": [}\n', /^a\.json:3:\d+: /],
    [
      'an alias in a circle',
      'a.yaml',
      'clusterConfig: &all\n  liveness: *all\n',
      /^a\.yaml:1:1: an alias \(\*\) stands inside/,
    ],
    [
      'aliases that unfold to very much',
      'a.yaml',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((key, at) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[at]}`)}]`)
        .join('\n')}\n`,
      /^a\.yaml:1:1: excessive alias count/,
    ],
    ['an unknown alias', 'a.yaml', 'name: *nobody\n', /^a\.yaml:1:7: there is no anchor &nobody$/],
    [
      'a wrong kind',
      'a.yaml',
      'name: shop\n---\nkind: Deploymnet\n',
      /^a\.yaml:3:7: kind "Deploymnet" is no kind that a file can hold; did you mean deployment\?$/,
    ],
    [
      'an unknown field',
      'a.yaml',
      'deployments:\n  - name: web\n    pack: alpha\n    replcias: 3\n',
      /^a\.yaml:4:5: deployments\[0\]\.replcias is not a field that exists here; did you mean replicas\?$/,
    ],
    [
      'a value of the wrong type',
      'a.yaml',
      'deployments:\n  - name: web\n    pack: alpha\n    replicas: many\n',
      /^a\.yaml:4:15: deployments\[0\]\.replicas must be a number, not "many"$/,
    ],
    [
      'a field that is missing',
      'a.yaml',
      'deployments:\n  - name: web\n',
      /^a\.yaml:2:5: deployments\[0\]\.pack is required$/,
    ],
    ['a list', 'a.yaml', '- kind: pod\n', /^a\.yaml:1:1: must be an object, not a list$/],
    ['a text', 'a.yaml', 'hello\n', /^a\.yaml:1:1: must be an object, not "hello"$/],
    [
      'JSON with a mistake in it',
      'a.json',
      '{\n  "namespaces": [\n    { "name": "A" }\n  ]\n}',
      /^a\.json:3:15: namespaces\[0\]\.name "A": it must be/,
    ],
    [
      'TypeScript that does not parse',
      'stark.config.ts',
      'export default {\n  name: shop:\n};\n',
      /^.*stark\.config\.ts:2:13: /,
    ],
    ['TypeScript that throws', 'stark.config.ts', 'throw new Error("no luck");\n', /^.*stark\.config\.ts: no luck$/],
    [
      'TypeScript without an export',
      'stark.config.ts',
      'export const x = 1;\n',
      /^.*stark\.config\.ts has no default export$/,
    ],
    [
      'TypeScript that imports what is not there',
      'stark.config.ts',
      'import x from "nowhere";\nexport default x;\n',
      /^.*stark\.config\.ts:1:15: Could not resolve "nowhere"/,
    ],
    [
      'a mistake in TypeScript',
      'stark.config.ts',
      'export default { deployments: [{ name: "web" }] };\n',
      /^stark\.config\.ts: deployments\[0\]\.pack is required$/,
    ],
  ])('that are wrong say where: %s', async (_what, name, text, message) => {
    const refused = await refusal(name, text);
    expect(refused.message).toMatch(message);
    expect(['USAGE', 'INVALID_MANIFEST']).toContain(refused.code);
  });

  it('tell all that is wrong at once', async () => {
    const { message, details } = await refusal('a.yaml', 'name: No\nnamspace: a\ndeployments:\n  - nmae: web\n');
    expect([message, ...(details as string[])]).toHaveLength(5);
  });

  it('have one name together', async () => {
    const { message } = await refusal('a.yaml', 'name: a\n---\nname: b\n');
    expect(message).toBe('a.yaml:3:7: name is "b" here, and "a" in a.yaml:1:7');
  });

  it('are not read when they are too large', async () => {
    const { message } = await refusal('a.yaml', `# ${'x'.repeat(10_000_000)}\n`);
    expect(message).toContain('a.yaml has 10000003 bytes, and a file of objects at most 2097152');
  });

  it('exist', async () => {
    await expect(load(join(folder, 'nowhere.yaml'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(load(written({ 'notes.txt': '' }))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
