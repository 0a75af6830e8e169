import { once } from 'node:events';

/** The address of a server of this pod, once it listens. */
export async function served(server) {
  if (!server.listening) await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}/`;
}

export const get = async (address) => (await fetch(address)).text();
