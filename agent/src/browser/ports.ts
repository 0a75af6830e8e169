import type { Ports } from '../reconciler/adapters.js';

/** A page cannot listen: pods in it have no ports, and what they declare is left out. */
export const noPorts: Ports = {
  claim: async () => ({}),
  release: () => {},
  httpGet: () => Promise.reject(new Error('a browser tab listens on no port')),
};
