type Listener = (this: unknown, event: unknown) => unknown;

/**
 * The runtime's WebSocket, but a message that its listener cannot take is lost alone. Realtime's client reads some parts of a
 * message unseen, and any node may write on the topic of heartbeats what makes it throw, which would end the watcher. The
 * same as in `core/src/client/guarded-socket.ts`, which no deploy can reach.
 */
export function guardedSocket(): typeof WebSocket {
  class GuardedSocket extends WebSocket {}
  Object.defineProperty(GuardedSocket.prototype, 'onmessage', {
    configurable: true,
    get(): unknown {
      return Reflect.get(WebSocket.prototype, 'onmessage', this);
    },
    set(listener: unknown) {
      Reflect.set(WebSocket.prototype, 'onmessage', isListener(listener) ? guarded(listener) : listener, this);
    },
  });
  return GuardedSocket;
}

const isListener = (value: unknown): value is Listener => typeof value === 'function';

function guarded(listener: Listener): Listener {
  return function (this: unknown, event) {
    try {
      return listener.call(this, event);
    } catch {
      return undefined;
    }
  };
}
