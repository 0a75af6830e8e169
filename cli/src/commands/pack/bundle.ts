import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { sizeOf } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { externalFlag, runtimeFlag, toRuntime } from '../../base/pack-flags.js';
import { Progress } from '../../base/progress.js';
import { assetsPath, sha256 } from '../../bundle/bundle.js';
import { makePack } from '../../bundle/make-pack.js';

export default class PackBundle extends StarkCommand<typeof PackBundle> {
  static override summary = 'Bundle a pack into one file.';
  static override description =
    'The source is the entry that package.json names under "stark", or src/index.ts. Its default export is the pack: a function that gets a PackContext. Name, version, description, runtime and ports of the nearest package.json travel in the bundle’s last line. The source map is written beside it. A Nuxt or Vite project, or a folder with an index.html, becomes a pack that serves its static files.';
  static override examples = [
    '<%= config.bin %> pack bundle ./examples/alpha --out alpha.js',
    '<%= config.bin %> pack bundle ./my-nuxt-site --out site.js --runtime isomorphic',
  ];
  static override args = {
    source: Args.string({ description: 'Folder or source file.', default: '.', ignoreStdin: true }),
  };
  static override flags = {
    out: Flags.string({
      summary: 'File to write. Default: dist/pack.js in the folder, pack.js for a website.',
      helpValue: '<file>',
    }),
    ...runtimeFlag,
    ...externalFlag,
    minify: Flags.boolean({ summary: 'Make it smaller and unreadable.' }),
  };

  async run(): Promise<void> {
    const { bundle, about, ...made } = await makePack(this.args.source, {
      runtime: toRuntime(this.flags.runtime),
      minify: this.flags.minify,
      external: this.flags.external,
      progress: new Progress(),
    });
    const path = resolve(this.flags.out ?? made.out);
    await mkdir(dirname(path), { recursive: true });
    if (bundle.map !== undefined) await writeFile(`${path}.map`, bundle.map);
    // A reader of the old bundle never sees half of the new one.
    await writeFile(`${path}.tmp`, bundle.code);
    await rename(`${path}.tmp`, path);
    // One of an earlier bundle would be registered with this one.
    if (bundle.assets === undefined) await rm(assetsPath(path), { force: true });
    else await writeFile(assetsPath(path), bundle.assets);
    const { name = null, version = null, runtime = null, ports = [] } = about;
    await this.printObject(
      {
        ...{ name, version, runtime, ports: ports.map((port) => port.name), path },
        ...{ size_bytes: bundle.code.byteLength, sha256: bundle.sha256 },
        ...(bundle.assets !== undefined && {
          assets_path: assetsPath(path),
          assets_size_bytes: bundle.assets.byteLength,
          assets_sha256: sha256(bundle.assets),
        }),
      },
      `bundle/${name ?? path}`,
      [
        `${name === null ? 'pack' : `${name}@${version}`}: ${path}, ${sizeOf(bundle.code.byteLength)}, runtime ${runtime ?? 'not said'}, sha256 ${bundle.sha256}`,
        ...(bundle.assets === undefined ? [] : [`assets: ${assetsPath(path)}, ${sizeOf(bundle.assets.byteLength)}`]),
      ],
    );
    const named = name === null ? ' --name my-pack --ver 1.0.0' : '';
    const tagged = runtime === null ? ' --runtime node' : '';
    this.next(`stark pack register ${this.flags.out ?? path}${named}${tagged}`);
  }
}
