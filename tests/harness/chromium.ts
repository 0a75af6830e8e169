import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Path of the Chromium to test with: CHROMIUM_PATH, the system's, or the one playwright installed. */
export function chromiumPath(): string {
  const candidates = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', chromium.executablePath()];
  const found = candidates.find((path) => path !== undefined && path !== '' && existsSync(path));
  if (found === undefined) throw new Error(`No Chromium at ${candidates.join(', ')}; set CHROMIUM_PATH`);
  return found;
}

/** A Chromium with a profile of its own that is removed at the end. */
export class TestBrowser {
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, profile: string) {
    this.#context = context;
    this.#profile = profile;
  }

  static async start(): Promise<TestBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'stark-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath(),
      headless: true,
      args: flags,
    });
    return new TestBrowser(context, profile);
  }

  /** A tab on this address; what fails in it is written to stderr. */
  async open(url: string): Promise<Page> {
    const page = await this.#context.newPage();
    page.on('pageerror', (error) => console.error(`in the page: ${error.message}`));
    await page.goto(url);
    return page;
  }

  async stop(): Promise<void> {
    await this.#context.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
