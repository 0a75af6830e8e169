import { createServer } from 'node:http';
import type { BrowserAgent, BrowserAgentOptions, BrowserAgentState } from '@stark-o/agent/browser';
import type { Page } from 'playwright-core';
import { bundleBrowserAgent } from '../../agent/scripts/bundle-browser.mjs';
import { waitFor } from '../harness/wait.js';

const HTML = `<!doctype html><title>A node</title><div id="pods"></div><script type="module">
import { startBrowserAgent } from './stark-agent.js';
const lines = [];
Object.assign(globalThis, {
  lines,
  begin: async (options) => {
    globalThis.agent = await startBrowserAgent({
      ...options,
      container: document.getElementById('pods'),
      onState: (state) => { globalThis.state = state; },
      onLog: ({ level, message, fields }) => lines.push(level + ' ' + message + ' ' + JSON.stringify(fields)),
    });
    return globalThis.agent.state;
  },
});
</script>`;

/** What crosses into the page: everything but callbacks and elements. */
export type PageOptions = Omit<BrowserAgentOptions, 'container' | 'onState' | 'onLog' | 'onPodLines'>;

interface NodeGlobals {
  lines: string[];
  agent: BrowserAgent;
  state: BrowserAgentState | undefined;
  begin(options: PageOptions): Promise<BrowserAgentState>;
}

/** A page that can become a node, on a free port of this machine. */
export async function serveNodePage(): Promise<{ url: string; close(): Promise<void> }> {
  const script = await bundleBrowserAgent();
  const server = createServer((request, response) => {
    const isScript = request.url === '/stark-agent.js';
    response.writeHead(200, {
      'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8',
      'set-cookie': 'session=a-secret-cookie',
    });
    response.end(isScript ? script : HTML);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Makes the page a node; says what the agent wrote when it cannot. */
export async function becomeNode(page: Page, options: PageOptions): Promise<BrowserAgentState> {
  await waitFor('the script of the page', () => page.evaluate(() => 'begin' in globalThis));
  try {
    return await page.evaluate((given) => (globalThis as unknown as NodeGlobals).begin(given), options);
  } catch (error) {
    const lines = await page.evaluate(() => (globalThis as unknown as NodeGlobals).lines);
    throw new Error(`${(error as Error).message}\n${lines.join('\n')}`);
  }
}

/** Lets the node of this page end as it should. */
export function stopNode(page: Page): Promise<void> {
  return page.evaluate(() => (globalThis as unknown as NodeGlobals).agent?.stop());
}
