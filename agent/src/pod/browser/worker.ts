// The program of a pod's worker: a thread without an origin that knows nothing but what the agent sends it.
import { lookup } from 'mrmime';
import { unpackAssets } from '../shared/assets.js';
import { plainText } from '../shared/describe-value.js';
import { PackRun } from '../shared/run-pack.js';
import { type Library, supabaseOf } from '../shared/supabase.js';
import { captureConsole } from './console.js';
import { Lines } from './lines.js';
import type { FromPod, PageToShow, ToPod } from './protocol.js';
import { RemoteStorage } from './remote-storage.js';

interface WorkerScope {
  postMessage(message: PageToShow): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const tellFrame = scope.postMessage.bind(scope);
const abort = new AbortController();

addEventListener(
  'message',
  ({ ports: [port] }) => {
    if (port !== undefined) new Pod(port);
  },
  { once: true },
);

class Pod {
  readonly #say: (message: FromPod) => void;
  readonly #lines = new Lines((lines, dropped) => this.#say({ type: 'lines', lines, dropped }));
  readonly #storage = new RemoteStorage((id, request) => this.#say({ type: 'storage', id, request }));
  #supabaseSource: (source: string) => void = () => {};

  constructor(port: MessagePort) {
    this.#say = port.postMessage.bind(port);
    port.onmessage = ({ data }: MessageEvent<ToPod>) => this.#heard(data);
    const leave = () => this.#leave(0);
    Object.defineProperty(globalThis, 'close', { value: leave, writable: false, configurable: false });
    captureConsole((stream, text) => this.#lines.print(stream, text));
  }

  #heard(message: ToPod): void {
    if (message.type === 'init') void this.#run(message);
    else if (message.type === 'stop') abort.abort();
    else if (message.type === 'stored') this.#storage.answered(message.id, message.value, message.error);
    else this.#supabaseSource(message.source);
  }

  async #run({ run, bundle, assets }: Extract<ToPod, { type: 'init' }>): Promise<void> {
    let addresses: Record<string, string> | undefined;
    const packRun = new PackRun(run, {
      load: async () => {
        if (assets !== undefined) addresses = placeAssets(assets);
        return this.#load(bundle);
      },
      assets: () => addresses,
      write: (record) => this.#lines.add({ record }, record.length),
      inspect: plainText,
      tell: async (message) => {
        this.#lines.flush();
        this.#say(message);
      },
      storage: this.#storage,
      supabase: supabaseOf(run.project, () => this.#supabaseJs()),
      signal: abort.signal,
      leave: (code = 0) => this.#leave(code),
    });
    addEventListener('error', (event) => {
      event.preventDefault();
      void packRun.fail('run', event.error ?? event.message);
    });
    addEventListener('unhandledrejection', (event) => {
      event.preventDefault();
      void packRun.fail('run', event.reason);
    });
    await packRun.run();
  }

  async #load(bundle: ArrayBuffer): Promise<Record<string, unknown>> {
    const module = await importText(bundle);
    const { web } = module as { web?: { page?: unknown } };
    if (typeof web?.page === 'string') tellFrame({ type: 'show', page: web.page });
    return module;
  }

  async #supabaseJs(): Promise<Library> {
    const source = await new Promise<string>((resolve) => {
      this.#supabaseSource = resolve;
      this.#say({ type: 'supabase' });
    });
    return (await importText(source)) as unknown as Library;
  }

  #leave(code: number): void {
    this.#lines.flush();
    this.#say({ type: 'exit', code });
  }
}

/** Gives each asset an address, and tells the modules of the bundle: the code that the bundler put before them asks here. */
function placeAssets(archive: ArrayBuffer): Record<string, string> {
  const files = unpackAssets(new Uint8Array(archive));
  const addresses = Object.fromEntries(
    [...files].map(([name, bytes]) => {
      const type = lookup(name) ?? 'application/octet-stream';
      return [name, URL.createObjectURL(new Blob([bytes as BlobPart], { type }))];
    }),
  );
  const url = (name: string) => addresses[name];
  Object.defineProperty(globalThis, Symbol.for('stark.assets'), { value: { url } });
  return Object.freeze(addresses);
}

async function importText(text: string | ArrayBuffer): Promise<Record<string, unknown>> {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  try {
    return (await import(address)) as Record<string, unknown>;
  } finally {
    URL.revokeObjectURL(address);
  }
}
