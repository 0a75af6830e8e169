import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { packNameProblem } from '@stark-o/core/model';
import { StarkCommand } from '../base/command.js';
import { configFile, filesOfTemplate, labelOf, type NewFile, packAround, TEMPLATES } from '../init/files.js';
import { type FoundProject, lookAt } from '../init/found.js';
import { findProjectFile } from '../project/load.js';

export default class Init extends StarkCommand<typeof Init> {
  static override summary = 'Make a project of a folder: a pack, and stark.yaml that says what should be of it.';
  static override description =
    'An empty folder begins with one of the examples. In a project that is there its package.json, framework and entry are found, and a pack is put beside a program that exports none. No file that is there is changed, but that .gitignore gets a line.';
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init ./my-site --name my-site --template pi',
  ];
  static override args = {
    folder: Args.string({
      description: 'The folder; it is made where it is not there.',
      default: '.',
      ignoreStdin: true,
    }),
  };
  static override flags = {
    name: Flags.string({ summary: 'Name of the pack. Default: that of package.json, or of the folder.' }),
    template: Flags.option({ options: TEMPLATES, summary: 'The example that an empty folder begins with.' })(),
  };

  async run(): Promise<void> {
    const folder = resolve(this.args.folder);
    await mkdir(folder, { recursive: true });
    const there = await findProjectFile(folder);
    if (there !== undefined) {
      throw usageError(`${there} is there already: this is a project of Stark`, 'stark explain deployment');
    }
    const found = await lookAt(folder);
    const isNew = await isBare(folder);
    if (!isNew && this.flags.template !== undefined) {
      throw usageError(`${folder} has a project already, and --template begins a new one`, 'leave --template out');
    }
    const name = this.flags.name ?? found.name ?? labelOf(basename(folder));
    const problem = packNameProblem(name);
    if (problem !== undefined) throw usageError(`"${name}" cannot name a pack: ${problem}`, 'stark init --name my-app');
    const files = await filesFor(folder, found, {
      name,
      template: isNew ? (this.flags.template ?? 'alpha') : undefined,
    });
    for (const { path, text } of files) await writeNew(join(folder, path), text);
    const written = files.map(({ path }) => path);
    if (await ignoreData(folder)) written.push('.gitignore');
    const { framework = null } = found;
    await this.printObject({ name, folder, framework, files: written }, `project/${name}`, [
      ...(framework === null ? [] : [`found ${framework}`]),
      ...written.map((path) => `wrote ${relative(process.cwd(), join(folder, path))}`),
    ]);
    this.next(
      'stark up --detach',
      'stark auth setup --email you@example.com',
      this.args.folder === '.' ? 'stark dev' : `stark dev ${this.args.folder}`,
    );
  }
}

/** Nothing is in it that somebody made: what version control and editors keep there does not count. */
async function isBare(folder: string): Promise<boolean> {
  return (await readdir(folder)).every((name) => name.startsWith('.') || /^(readme|licen[cs]e)/i.test(name));
}

async function filesFor(
  folder: string,
  found: FoundProject,
  { name, template }: { name: string; template: (typeof TEMPLATES)[number] | undefined },
): Promise<NewFile[]> {
  if (template !== undefined) {
    const files = await filesOfTemplate(template, name);
    return [...files, configFile(folder, { name, version: '0.1.0', isPack: true }, { name, source: '.' })];
  }
  if (found.source !== undefined) return [configFile(folder, found, { name, source: found.source })];
  const pack = packAround(found);
  return [pack, configFile(folder, found, { name, source: `./${pack.path}` })];
}

/** A file that somebody made meanwhile stays as it is. */
async function writeNew(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw usageError(`${path} is there already, and nothing is overwritten`, 'choose another folder');
  }
}

/** The data of a cluster in this folder is nothing to commit. */
async function ignoreData(folder: string): Promise<boolean> {
  const path = join(folder, '.gitignore');
  const text = await readFile(path, 'utf8').catch(() => '');
  if (/^\/?\.stark\/?$/m.test(text)) return false;
  await appendFile(path, `${text === '' || text.endsWith('\n') ? '' : '\n'}.stark/\n`);
  return true;
}
