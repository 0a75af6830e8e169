import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { upwards } from '../config/directories.js';
import type { FoundProject } from './found.js';

/** Packs of examples/ that a folder without a project can begin with. */
export const TEMPLATES = ['alpha', 'beta', 'pi'] as const;

export type Template = (typeof TEMPLATES)[number];

/** A file that is to be written, by its path from the folder. */
export interface NewFile {
  path: string;
  text: string;
}

const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Where the templates are: in the package, or in the repository. */
function templateFolder(template: Template): string {
  const own = join(packageRoot, 'templates', template);
  return existsSync(own) ? own : join(packageRoot, '..', 'examples', template);
}

/** The pack of a template, under another name. What the package of a user cannot install is left out. */
export async function filesOfTemplate(template: Template, name: string): Promise<NewFile[]> {
  const folder = templateFolder(template);
  const { stark, description } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    stark: object;
    description: string;
  };
  const json = { name, version: '0.1.0', private: true, description, type: 'module', stark };
  const sources = (await readdir(join(folder, 'src'))).filter((file) => file.endsWith('.ts')).sort();
  const files = sources.map(async (file) => ({
    path: join('src', file),
    text: await readFile(join(folder, 'src', file), 'utf8'),
  }));
  return [{ path: 'package.json', text: `${JSON.stringify(json, null, 2)}\n` }, ...(await Promise.all(files))];
}

/** A pack for a project whose program exports none. */
export function packAround({ framework, program }: FoundProject): NewFile {
  const start =
    program === undefined
      ? 'What it does begins here.'
      : `What ${program} does begins here: import it, and listen on this port.`;
  const text = `/**
 * The pack${framework === undefined ? '' : ` of a project with ${framework}`}. It runs until it returns, and ends when
 * ctx.signal is aborted; ctx has its ports, settings, storage and log.
 */
export default async function pack(ctx) {
  // ${start}
  const { createServer } = await import('node:http');
  const server = createServer((_request, response) => response.end(\`hello from \${ctx.pod.name}\\n\`));
  await new Promise((listening) => server.listen(ctx.ports.http, listening));
  ctx.log.info(\`listening on port \${ctx.ports.http}\`);
  ctx.ready();
  await new Promise((stopped) => ctx.signal.addEventListener('abort', stopped, { once: true }));
  server.close();
}
`;
  return { path: join('src', 'pack.js'), text };
}

/** stark.yaml: the pack, and a deployment of it. Its first line tells editors what may stand in it. */
export function configFile(
  folder: string,
  found: FoundProject,
  { name, source }: { name: string; source: string },
): NewFile {
  const label = labelOf(name);
  const own = [
    ...(found.name === undefined || found.name !== name ? [`    name: ${scalar(name)}`] : []),
    ...(found.version === undefined ? ['    version: 0.1.0'] : []),
    ...(found.runtime === undefined ? [] : [`    runtime: ${found.runtime}`]),
    ...(found.runtime === 'node' ? ['    ports:', '      - name: http'] : []),
  ];
  const lines = [
    `# yaml-language-server: $schema=${schemaFor(folder)}`,
    `name: ${scalar(label)}`,
    'packs:',
    `  - source: ${scalar(source)}`,
    ...(found.isPack ? [] : own),
    'deployments:',
    `  - name: ${scalar(label)}`,
    `    pack: ${scalar(name)}`,
    '    replicas: 1',
  ];
  return { path: 'stark.yaml', text: `${lines.join('\n')}\n` };
}

/** A text as YAML has it: `123` and `true` are none as they stand. */
const scalar = (text: string) => stringify(text, { singleQuote: true, lineWidth: 0 }).trimEnd();

/** A DNS label of at most 46 characters, as names of deployments are. */
export function labelOf(name: string): string {
  const label = name
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 46)
    .replace(/^-+|-+$/g, '');
  return label === '' ? 'app' : label;
}

/** The JSON Schema of project files: that of the project's own packages, so that it is there on other machines too, else the one of this program. */
function schemaFor(folder: string): string {
  for (const above of upwards(folder)) {
    const path = join(above, 'node_modules', '@stark-o', 'core', 'project.schema.json');
    if (existsSync(path)) return relative(folder, path).replace(/^(?!\.)/, './');
  }
  const core = dirname(createRequire(import.meta.url).resolve('@stark-o/core/project.schema.json'));
  return join(core, 'project.schema.json');
}
