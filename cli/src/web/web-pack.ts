import { fileURLToPath } from 'node:url';
import type { PackRuntime, WebPack } from '@stark-o/core/model';
import { type Bundle, bundleSite } from '../bundle/bundle.js';
import { readSite, toWebFile } from './files.js';
import { onePage } from './page.js';
import { type Site, withStaticFiles } from './site.js';

const runtimeFile = fileURLToPath(new URL('./serve.js', import.meta.url));

/** Makes a pack of a website: its files as data, the function that serves them, and a last line. */
export function makeWebPack(site: Site, runtime: PackRuntime, footer: string): Promise<Bundle> {
  return withStaticFiles(site, async (folder) => {
    const files = await readSite(folder);
    const index = 'index.html';
    const web: WebPack = {
      index,
      files: Object.fromEntries([...files].map(([path, content]) => [path, toWebFile(path, content)])),
      ...(runtime !== 'node' && { page: onePage(site, index, files) }),
    };
    const source = [
      `import { runWebPack } from ${JSON.stringify(runtimeFile)};`,
      `export const web = ${JSON.stringify(web)};`,
      'export default (ctx) => runWebPack(ctx, web);',
    ].join('\n');
    return bundleSite(source, `the site in ${site.directory}`, { runtime, footer });
  });
}
