import WebSocket from 'ws';
import type { ProvingAgent } from './known-stack.js';

/** A WebSocket class whose connections to the agent's stack have proved who is at their other end. */
export function webSocketOver(agent: ProvingAgent | undefined): typeof WebSocket {
  if (agent === undefined) return WebSocket;
  class ProvenWebSocket extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols, new URL(address).origin.replace(/^ws/, 'http') === agent?.origin ? { agent } : {});
    }
  }
  return ProvenWebSocket as typeof WebSocket;
}
