import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { chromiumPath } from '../harness/chromium.js';

/**
 * A tab that is really hidden, behind another one. Playwright keeps every tab of its own in focus and switches off how
 * Chromium slows hidden ones down, so this speaks to Chromium itself.
 */
export class HiddenTab {
  #messages = 0;
  readonly #answers = new Map<number, (answer: { result?: object; error?: { message: string } }) => void>();
  #session: string | undefined;
  #target = '';

  private constructor(
    private readonly chromium: ChildProcess,
    private readonly profile: string,
    private readonly socket: WebSocket,
  ) {
    socket.on('message', (data) => {
      const { id, ...answer } = JSON.parse(String(data));
      this.#answers.get(id)?.(answer);
      this.#answers.delete(id);
    });
  }

  /** Opens the address in a tab that is still seen; its timers are slowed to one a minute two seconds after `hide`. */
  static async open(url: string): Promise<HiddenTab> {
    const profile = await mkdtemp(join(tmpdir(), 'stark-hidden-tab-'));
    const chromium = spawn(
      chromiumPath(),
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
        '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/2',
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const socket = new WebSocket(await debuggerOf(chromium));
    await once(socket, 'open');
    const tab = new HiddenTab(chromium, profile, socket);
    tab.#target = String((await tab.#send('Target.createTarget', { url })).targetId);
    tab.#session = String(
      (await tab.#send('Target.attachToTarget', { targetId: tab.#target, flatten: true })).sessionId,
    );
    return tab;
  }

  /** Puts another tab before it. */
  async hide(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    await this.#send('Target.activateTarget', { targetId });
    this.#session = session;
  }

  async evaluate<T>(expression: string): Promise<T> {
    const answer = await this.#send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    const { result, exceptionDetails } = answer as { result: { value: T }; exceptionDetails?: object };
    if (exceptionDetails !== undefined) throw new Error(`in the page: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  async close(): Promise<void> {
    this.socket.close();
    const ended = once(this.chromium, 'exit');
    this.chromium.kill();
    await ended;
    await rm(this.profile, { recursive: true, force: true, maxRetries: 3 });
  }

  #send(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.#messages;
    this.socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result as Record<string, unknown>);
        else reject(new Error(`${method}: ${error.message}`));
      });
    });
  }
}

async function debuggerOf(chromium: ChildProcess): Promise<string> {
  const lines = createInterface({ input: chromium.stderr as NodeJS.ReadableStream });
  for await (const line of lines) {
    const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error('Chromium ended before it could be spoken to');
}
