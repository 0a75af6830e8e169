import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isOpen, ownUrl, reachableUrls } from '../src/addresses.js';
import { ReservedPort } from '../src/port.js';
import { preflight } from '../src/preflight.js';

describe('the address that a stack listens on', () => {
  it.each<[string, boolean, string]>([
    ['127.0.0.1', false, 'http://127.0.0.1:5'],
    ['127.0.0.2', false, 'http://127.0.0.2:5'],
    ['::1', false, 'http://[::1]:5'],
    ['0.0.0.0', true, 'http://127.0.0.1:5'],
    ['::', true, 'http://127.0.0.1:5'],
    ['192.0.2.1', true, 'http://192.0.2.1:5'],
    ['2001:db8::1', true, 'http://[2001:db8::1]:5'],
  ])('%s is open: %s, and by itself it is %s', (host, open, url) => {
    expect(isOpen(host)).toBe(open);
    expect(ownUrl(host, 5)).toBe(url);
    if (!open) expect(reachableUrls(host, 5)).toEqual([]);
    else if (host !== '0.0.0.0' && host !== '::') expect(reachableUrls(host, 5)).toEqual([url]);
    else for (const one of reachableUrls(host, 5)) expect(one).not.toMatch(/127\.|::1\]/);
  });

  it('is this machine alone unless somebody says otherwise, and then really others too', async () => {
    for (const [host, other] of [
      [undefined, false],
      ['0.0.0.0', true],
    ] as const) {
      const reserved = await ReservedPort.take(0, host);
      try {
        // Another address of this machine stands for another machine.
        const reached = await new Promise<boolean>((resolve) => {
          const socket = connect(reserved.port, '127.0.0.2');
          socket.once('connect', () => resolve(socket.destroy() !== undefined));
          socket.once('error', () => resolve(false));
        });
        expect(reached).toBe(other);
      } finally {
        await reserved.release();
      }
    }
  });

  it('that this machine has not is refused before anything starts', async () => {
    const options = { dataDir: '/tmp', port: 0, dbPort: 0, host: '192.0.2.1' };
    await expect(preflight(options)).rejects.toMatchObject({ code: 'HOST_UNKNOWN' });
  });
});
