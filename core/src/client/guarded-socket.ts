type Listener = (this: unknown, event: unknown) => unknown;

/** A class like the browser's WebSocket: that itself, or the one of package `ws`. */
// biome-ignore lint/suspicious/noExplicitAny: what TypeScript asks of a class that is extended.
export type SocketClass = new (...args: any[]) => object;

/**
 * The same WebSocket, but a message that its listener cannot take is lost alone. Realtime's client reads some parts of a
 * message unseen, and a client that may write on a topic can make it throw, which would end the process.
 */
export function guardedSocket<Socket extends SocketClass>(transport: Socket): Socket {
  class GuardedSocket extends transport {}
  Object.defineProperty(GuardedSocket.prototype, 'onmessage', {
    configurable: true,
    get(): unknown {
      return Reflect.get(transport.prototype, 'onmessage', this);
    },
    set(listener: unknown) {
      Reflect.set(transport.prototype, 'onmessage', isListener(listener) ? guarded(listener) : listener, this);
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
