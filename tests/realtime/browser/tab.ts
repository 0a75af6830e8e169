import { createServer, type Server } from 'node:http';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import type { TestBrowser } from '../../harness/chromium.js';
import { until } from '../support/wait.js';
import type { PageApi } from './page.js';

type Result<Name extends keyof PageApi> = Awaited<ReturnType<PageApi[Name]>>;

/** Bundles the page with the client for browsers and serves it on 127.0.0.1. */
export async function servePage(): Promise<{ url: string; close(): Promise<void> }> {
  const bundle = await build({
    entryPoints: [new URL('./page.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
  });
  const script = bundle.outputFiles[0]?.text;
  const server: Server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' });
    response.end(isScript ? script : '<!doctype html><title>Realtime</title><script src="/page.js"></script>');
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

/** One browser tab with the page in it. */
export class Tab {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: TestBrowser, url: string): Promise<Tab> {
    return new Tab(await browser.open(url));
  }

  /** Calls one function of the page. */
  call<Name extends keyof PageApi>(name: Name, ...args: Parameters<PageApi[Name]>): Promise<Result<Name>> {
    return this.page.evaluate(
      ([name, args]) =>
        (globalThis as unknown as { api: Record<string, (...args: unknown[]) => unknown> }).api[name as string]?.(
          ...(args as unknown[]),
        ) as never,
      [name, args] as const,
    );
  }

  /** Waits until what the channel heard satisfies the test. */
  async hears(
    what: string,
    channel: string,
    test: (heard: Result<'heard'>) => unknown,
    ms = 8_000,
  ): Promise<Result<'heard'>> {
    let last: Result<'heard'> | undefined;
    try {
      return await until<Result<'heard'> | false>(
        what,
        async () => {
          last = await this.call('heard', channel);
          return test(last) ? last : false;
        },
        ms,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}; heard ${JSON.stringify(last)}`);
    }
  }

  /** Subscribes and waits for SUBSCRIBED. */
  async join(...args: Parameters<PageApi['channel']>): Promise<void> {
    await this.call('channel', ...args);
    await this.hears(`${args[0]} to be subscribed`, args[0], (heard) => heard.statuses.includes('SUBSCRIBED'));
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
