import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { LOOPBACK } from './port.js';

/** Whether who listens there can be reached from other machines. */
export function isOpen(host: string): boolean {
  return !/^(127\.|::1$|localhost$)/i.test(host);
}

/** Where this machine itself reaches what listens at an address. */
export function ownUrl(host: string, port: number): string {
  return `http://${host === '0.0.0.0' || host === '::' ? LOOPBACK : inUrl(host)}:${port}`;
}

/** Where other machines reach what listens at an address; nothing where none can. */
export function reachableUrls(host: string, port: number): string[] {
  if (!isOpen(host)) return [];
  if (host !== '0.0.0.0' && host !== '::') return [`http://${inUrl(host)}:${port}`];
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const wanted = own.filter(
    ({ internal, family, scopeid }) => !internal && (family === 'IPv4' || (host === '::' && scopeid === 0)),
  );
  return wanted.map(({ address }) => `http://${inUrl(address)}:${port}`);
}

const inUrl = (host: string) => (isIP(host) === 6 ? `[${host}]` : host);
