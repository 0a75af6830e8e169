import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** What stands between a client and a server, and changes what they say to each other. */
export interface Meddling {
  /** An answer in the server's place; nothing to let the request through. */
  answer?(request: IncomingMessage): { status: number; body: unknown } | undefined;
  /** The headers that the server gets. */
  ask?(headers: IncomingHttpHeaders): IncomingHttpHeaders;
  /** The headers that the client gets. */
  tell?(headers: IncomingHttpHeaders): IncomingHttpHeaders;
}

/** A way to a server, over HTTP, on which a test meddles. WebSockets pass untouched. */
export class MeddlingProxy {
  meddling: Meddling = {};
  readonly #server: Server;

  private constructor(private readonly target: URL) {
    this.#server = createServer((incoming, outgoing) => {
      const own = this.meddling.answer?.(incoming);
      if (own !== undefined) {
        incoming.resume();
        outgoing.writeHead(own.status, { 'content-type': 'application/json' });
        outgoing.end(JSON.stringify(own.body));
        return;
      }
      const { method = 'GET', url: path = '/' } = incoming;
      const headers = this.meddling.ask?.(incoming.headers) ?? incoming.headers;
      const { hostname, port } = this.target;
      const onward = request({ hostname, port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, this.meddling.tell?.(answer.headers) ?? answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
    this.#server.on('upgrade', (incoming, near, head) => {
      const far = connect(Number(this.target.port), this.target.hostname, () => {
        const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}`);
        far.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
        far.write(head);
        near.pipe(far).pipe(near);
      });
      for (const side of [near, far]) side.on('error', () => side.destroy());
    });
  }

  static async to(url: string): Promise<MeddlingProxy> {
    const proxy = new MeddlingProxy(new URL(url));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
