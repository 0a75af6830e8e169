import { type BundleCache, BundleError } from '../reconciler/adapters.js';
import type { BundleRef } from '../reconciler/pod.js';

/** Opens the stored bundle; throws BundleError when it cannot be had. */
export type BundleSource = (bundle: BundleRef) => Promise<AsyncIterable<Uint8Array>>;

const CACHE = 'stark bundles';

/** Bundles in the browser's Cache Storage, named by what they hash to. What it gives out has been verified just before. */
export class CachedBundles implements BundleCache {
  constructor(private readonly source: BundleSource) {}

  async fetch(bundle: BundleRef): Promise<string> {
    if (bundle.assets !== undefined) await this.#have(bundle.assets);
    await this.#have(bundle);
    return bundle.sha256;
  }

  async #have(bundle: BundleRef): Promise<void> {
    const kept = await this.#kept(bundle.sha256);
    if (kept === undefined || (await faultOf(bundle, kept)) !== undefined) await this.#download(bundle);
  }

  /** The content of a bundle that was fetched. */
  async read(sha256: string): Promise<ArrayBuffer> {
    const content = await this.#kept(sha256);
    if (content === undefined) throw new Error('the browser has thrown the bundle away');
    return content;
  }

  async #kept(sha256: string): Promise<ArrayBuffer | undefined> {
    const cache = await caches.open(CACHE);
    return (await cache.match(addressOf(sha256)))?.arrayBuffer();
  }

  async #download(bundle: BundleRef): Promise<void> {
    const content = await this.#receive(bundle);
    const fault = await faultOf(bundle, content);
    if (fault !== undefined) {
      throw new BundleError('BundleCorrupt', `the bundle ${bundle.path} is not what was registered: ${fault}`, false);
    }
    const cache = await caches.open(CACHE);
    await cache.put(addressOf(bundle.sha256), new Response(content));
  }

  async #receive(bundle: BundleRef): Promise<ArrayBuffer> {
    const source = await this.source(bundle);
    const content = new Uint8Array(bundle.size_bytes);
    let size = 0;
    for await (const chunk of source) {
      // What is too large is not what was registered, and the rest of it need not be seen.
      if (size + chunk.length > content.length) return new ArrayBuffer(size + chunk.length);
      content.set(chunk, size);
      size += chunk.length;
    }
    return content.buffer.slice(0, size);
  }
}

async function faultOf(bundle: BundleRef, content: ArrayBuffer): Promise<string | undefined> {
  if (content.byteLength !== bundle.size_bytes) {
    return `it has ${content.byteLength} bytes, registered are ${bundle.size_bytes}`;
  }
  const digest = [...new Uint8Array(await crypto.subtle.digest('SHA-256', content))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return digest === bundle.sha256 ? undefined : `its SHA-256 is ${digest}, registered is ${bundle.sha256}`;
}

// The cache's keys are addresses; nothing is ever fetched from this one.
function addressOf(sha256: string): string {
  return `https://bundles.invalid/${sha256}`;
}
