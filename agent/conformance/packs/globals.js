/** What both worlds have beside the context, with the same results. */
export default async ({ log }) => {
  const start = performance.now();
  const order = [];
  setTimeout(() => order.push('timeout'), 5);
  queueMicrotask(() => order.push('microtask'));
  const once = new Promise((resolve) => {
    const interval = setInterval(() => {
      order.push('interval');
      clearInterval(interval);
      resolve();
    }, 30);
  });
  const cancelled = setTimeout(() => order.push('never'), 10);
  clearTimeout(cancelled);
  order.push('now');
  await Promise.all([once, new Promise((resolve) => setTimeout(resolve, 50))]);
  log.info('timers', { order });

  const data = new TextEncoder().encode('the same everywhere');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  log.info('crypto', {
    sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    uuid: /^[0-9a-f-]{36}$/.test(crypto.randomUUID()),
  });
  const { href, searchParams } = new URL('../b?c=d%20e', 'https://example.com/a/x');
  log.info('url', { href, c: searchParams.get('c') });
  log.info('text', { base64: btoa('abc'), back: atob('YWJj'), utf8: new TextDecoder().decode(data) });
  const copy = structuredClone(new Map([['key', { date: new Date(0), set: new Set([1]) }]]));
  log.info('clone', { date: copy.get('key').date, set: [...copy.get('key').set] });
  const packed = new Blob([data]).stream().pipeThrough(new CompressionStream('gzip'));
  const unpacked = await new Response(packed.pipeThrough(new DecompressionStream('gzip'))).text();
  log.info('streams', { unpacked });
  const event = await new Promise((resolve) => {
    const target = new EventTarget();
    target.addEventListener('ping', (heard) => resolve(heard.type), { once: true });
    target.dispatchEvent(new Event('ping'));
  });
  const { port1, port2 } = new MessageChannel();
  const message = await new Promise((resolve) => {
    port2.onmessage = ({ data: received }) => resolve(received);
    port1.postMessage({ over: 'a channel' });
  });
  port1.close();
  log.info('events', { event, message });
  const { signal } = new AbortController();
  log.info('aborting', { any: AbortSignal.any([signal, AbortSignal.abort()]).aborted });
  log.info('clock', { steady: performance.now() - start >= 50, now: Date.now() > Date.UTC(2024) });
};
