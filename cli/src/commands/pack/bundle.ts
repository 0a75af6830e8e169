import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { runtimeFlag, toRuntime } from '../../base/pack-flags.js';
import { bundlePack } from '../../bundle/bundle.js';
import { readProject } from '../../bundle/project.js';
import { sizeOf } from '../../data/cells.js';

export default class PackBundle extends StarkCommand<typeof PackBundle> {
  static override summary = 'Bundle a pack into one file.';
  static override description =
    'The source is the entry that package.json names under "stark", or src/index.ts. Its default export is the pack: a function that gets a PackContext. The source map is written beside the bundle.';
  static override examples = [
    '<%= config.bin %> pack bundle ./examples/alpha --out alpha.js',
    '<%= config.bin %> pack bundle ./src/worker.ts --out worker.js --runtime isomorphic --minify',
  ];
  static override args = {
    source: Args.string({ description: 'Folder or source file.', default: '.', ignoreStdin: true }),
  };
  static override flags = {
    out: Flags.string({ summary: 'File to write. Default: dist/pack.js in the folder.', helpValue: '<file>' }),
    ...runtimeFlag,
    minify: Flags.boolean({ summary: 'Make it smaller and unreadable.' }),
  };

  async run(): Promise<void> {
    const project = await readProject(this.args.source);
    const runtime = toRuntime(this.flags.runtime) ?? project.about.runtime ?? 'node';
    const bundle = await bundlePack(project.entry, runtime, { minify: this.flags.minify });
    const path = resolve(this.flags.out ?? join(project.directory, 'dist', 'pack.js'));
    await mkdir(dirname(path), { recursive: true });
    if (bundle.map !== undefined) await writeFile(`${path}.map`, bundle.map);
    // A reader of the old bundle never sees half of the new one.
    await writeFile(`${path}.tmp`, bundle.code);
    await rename(`${path}.tmp`, path);
    const name = project.about.name ?? null;
    const version = project.about.version ?? null;
    await this.printObject(
      { name, version, runtime, path, size_bytes: bundle.code.byteLength, sha256: bundle.sha256 },
      `bundle/${name ?? path}`,
      [`${name ?? 'pack'}: ${path}, ${sizeOf(bundle.code.byteLength)}, runtime ${runtime}, sha256 ${bundle.sha256}`],
    );
    const named = name === null ? ' --name my-pack --ver 1.0.0' : '';
    this.next(`stark pack register ${this.flags.out ?? path}${named} --runtime ${runtime}`);
  }
}
