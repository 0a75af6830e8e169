// Makes the browser agent one file that any page can import: the programs of its worker, of the frames and of the pods
// in them are texts inside it, because a page's own server should not have to know of them.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const compiled = new URL('../dist/', import.meta.url);

/** Bundles what `tsc -b` has compiled; gives the text of the one file. */
export async function bundleBrowserAgent() {
  const text = async (entry, format, define = {}) => {
    const { outputFiles } = await build({
      ...entry,
      bundle: true,
      write: false,
      minify: true,
      format,
      platform: 'browser',
      target: 'es2022',
      define,
      legalComments: 'none',
    });
    return outputFiles[0].text;
  };
  const file = (name) => ({ entryPoints: [fileURLToPath(new URL(name, compiled))] });
  const supabase = {
    stdin: {
      contents: "export { createClient } from '@supabase/supabase-js';",
      resolveDir: fileURLToPath(compiled),
    },
  };
  const [podWorker, supabaseJs] = await Promise.all([
    text(file('pod/browser/worker.js'), 'esm'),
    text(supabase, 'esm'),
  ]);
  const podFrame = await text(file('pod/browser/frame.js'), 'iife', { POD_WORKER_SOURCE: JSON.stringify(podWorker) });
  const agentWorker = await text(file('browser/agent-worker.js'), 'iife', {
    SUPABASE_SOURCE: JSON.stringify(supabaseJs),
  });
  return text(file('browser/index.js'), 'esm', {
    POD_FRAME_SOURCE: JSON.stringify(podFrame),
    AGENT_WORKER_SOURCE: JSON.stringify(agentWorker),
  });
}

/** Writes what `@stark-o/agent/browser` is. */
export async function writeBrowserAgent() {
  await writeFile(new URL('browser/stark-agent.js', compiled), await bundleBrowserAgent());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeBrowserAgent();
