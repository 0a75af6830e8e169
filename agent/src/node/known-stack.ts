import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { Agent, type ClientRequestArgs, type IncomingMessage, request as startRequest } from 'node:http';
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { Readable } from 'node:stream';
import { StarkError } from '@stark-o/core/errors';

/** Which stack is known at which place, by its public key, as ssh knows hosts. */
export interface KnownStacks {
  read(origin: string): Promise<string | undefined>;
  keep(origin: string, key: string): Promise<void>;
}

const PROOF_TIMEOUT_MS = 5_000;
const LONGEST_ANSWER = 4_096;
/** Well before the stack closes a connection that rests, so that no request meets its end. */
const REST_MS = 4_000;

const LOOPBACK_NAME = /^(.+\.)?localhost\.?$/i;
const LOOPBACK_ADDRESS = /^(::ffff:)?(127\.|0\.0\.0\.0$)|^::1?$/i;

/** All names and addresses by which this machine means itself are one place for each port: who listens by one is met by another. */
export function placeOf(origin: string): string {
  const url = new URL(origin);
  // A URL writes IPv4 inside IPv6 in hexadecimal.
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/^::ffff:7f[0-9a-f]{2}:[0-9a-f]+$/i, '127.0.0.1');
  if (url.protocol === 'http:' && (LOOPBACK_NAME.test(host) || LOOPBACK_ADDRESS.test(host))) url.hostname = '127.0.0.1';
  return url.origin;
}

/** The key that a list of known stacks has for a place, under whichever of its names. */
export function keyAt(origin: string, all: Record<string, unknown>): string | undefined {
  const place = placeOf(origin);
  const key = all[place] ?? Object.entries(all).find(([other]) => isAt(place, other))?.[1];
  return typeof key === 'string' ? key : undefined;
}

/** The list with this key for a place, and no other one under another of its names. */
export function withKeyAt(origin: string, key: string, all: Record<string, unknown>): Record<string, unknown> {
  const place = placeOf(origin);
  return { ...Object.fromEntries(Object.entries(all).filter(([other]) => !isAt(place, other))), [place]: key };
}

const isAt = (place: string, origin: string) => URL.canParse(origin) && placeOf(origin) === place;

/**
 * Connections to the stack that is known at this URL, or to nobody; undefined where TLS proves who answers. A stack of this
 * machine speaks plain HTTP, and while it is down any program here, a pod too, may listen on its port: so each new connection first
 * has to prove that the known stack is at its other end, by a signature over a nonce and both ends of the connection. What somebody
 * passes on to the real stack, at another address or later at the same one, is signed for the connection that brought it there.
 */
export function provenConnections(
  url: string,
  known: KnownStacks,
  onRefused: (error: StarkError) => void = () => {},
): ProvingAgent | undefined {
  const { protocol, origin } = new URL(url);
  return protocol === 'http:' ? new ProvingAgent(origin, known, onRefused) : undefined;
}

/** A `fetch` whose requests to the agent's stack go over its connections; all others go as ever. */
export function fetchOver(agent: ProvingAgent | undefined): typeof fetch {
  if (agent === undefined) return fetch;
  const own = fetchByAgent(agent);
  return (input, init) => (originOf(input) === agent.origin ? own(input, init) : fetch(input, init));
}

const originOf = (input: string | URL | Request) => new URL(input instanceof Request ? input.url : input).origin;

/** Connections that have proved who is at their other end. */
export class ProvingAgent extends Agent {
  constructor(
    readonly origin: string,
    private readonly known: KnownStacks,
    private readonly onRefused: (error: StarkError) => void,
  ) {
    super({ keepAlive: true, timeout: REST_MS });
  }

  override createConnection(options: ClientRequestArgs, done?: (error: Error | null, socket: Socket) => void): Socket {
    const address = options as TcpNetConnectOpts;
    this.#connect(address).then(
      (socket) => done?.(null, socket),
      (error) => done?.(error as Error, undefined as never),
    );
    // Nothing yet: `done` brings it.
    return undefined as never;
  }

  async #connect(address: TcpNetConnectOpts): Promise<Socket> {
    const socket = await connected(address);
    const place = placeReached(socket) ?? placeOf(this.origin);
    const key = await this.#keyAt(place).catch((error: unknown) => {
      socket.destroy();
      throw error;
    });
    const proven = await provenKey(socket, new URL(this.origin).host).catch((error: unknown) => {
      if (key === undefined) return undefined;
      socket.destroy();
      throw error;
    });
    if (key === undefined) {
      // Met for the first time: known from now on, if it is a stack and we speak with it directly.
      if (proven === undefined) return plainly(socket, address);
      await this.known.keep(place, proven);
      return socket;
    }
    if (proven === key) return socket;
    socket.destroy();
    const refused = new StarkError(
      `what answers at ${this.origin} is not the stack that is known there; nothing was sent to it`,
      {
        code: 'STACK_CHANGED',
        hint: 'stark status; where the stack was made anew, stark up makes it known again',
      },
    );
    this.onRefused(refused);
    throw refused;
  }

  /** The key that is known for the place we came to, or for the name by which we went there; of two that differ none is right. */
  async #keyAt(place: string): Promise<string | undefined> {
    const [reached, named] = await Promise.all([this.known.read(place), this.known.read(this.origin)]);
    return reached !== undefined && named !== undefined && reached !== named ? 'two' : (reached ?? named);
  }
}

/** This machine, whatever the name was that led to it: its loopback, or an address of its own. */
function placeReached({ localAddress, remoteAddress = '', remotePort }: Socket): string | undefined {
  const isHere = LOOPBACK_ADDRESS.test(remoteAddress) || remoteAddress === localAddress;
  return isHere ? placeOf(`http://127.0.0.1:${remotePort}`) : undefined;
}

// Who did not understand the challenge may have closed the connection, or left half an answer in it.
function plainly(socket: Socket, address: TcpNetConnectOpts): Promise<Socket> {
  socket.destroy();
  return connected(address);
}

function connected(address: TcpNetConnectOpts): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** The key that the other end of a connection proves to have, for this connection and no other. */
async function provenKey(socket: Socket, host: string): Promise<string | undefined> {
  const nonce = randomBytes(32).toString('base64url');
  const there = endOf(socket.remoteAddress, socket.remotePort);
  const here = endOf(socket.localAddress, socket.localPort);
  const said = `stark stack identity\n${nonce}\n${there}\n${here}`;
  socket.write(`GET /.well-known/stark?nonce=${nonce} HTTP/1.1\r\nhost: ${host}\r\naccept: application/json\r\n\r\n`);
  const text = await firstAnswer(socket);
  try {
    const { key, proof } = JSON.parse(text ?? '') as { key: string; proof: string };
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64url'), format: 'der', type: 'spki' });
    if (publicKey.asymmetricKeyType !== 'ed25519') return undefined;
    return verify(null, Buffer.from(said), publicKey, Buffer.from(proof, 'base64url')) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** As the stack writes it, which may see IPv4 inside IPv6 and says it without. */
const endOf = (address = '', port = 0) => `${address.replace(/^::ffff:(?=\d+\.)/i, '')} ${port}`;

/**
 * The body of the first answer on a connection, read so that the next request can use it; nothing when it is no good one. Only
 * a body of a stated length is one, since a stack sends no other.
 */
function firstAnswer(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0);
    const timer = setTimeout(() => end(() => reject(silent())), PROOF_TIMEOUT_MS);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.off('readable', look).off('error', fail).off('close', fail);
      settle();
    };
    const fail = (error?: unknown) => end(() => reject(error instanceof Error ? error : silent()));
    const look = () => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
        read = Buffer.concat([read, chunk]);
      }
      const answer = answerIn(read);
      if (answer !== undefined) end(() => resolve(answer.body));
    };
    socket.on('readable', look).on('error', fail).on('close', fail);
  });
}

function answerIn(read: Buffer): { body: string | undefined } | undefined {
  const headEnd = read.indexOf('\r\n\r\n');
  if (headEnd < 0) return read.length > LONGEST_ANSWER ? { body: undefined } : undefined;
  const head = read.subarray(0, headEnd).toString('latin1');
  const length = Number(/\r\ncontent-length:\s*(\d+)\s*(\r|$)/i.exec(head)?.[1] ?? Number.NaN);
  const whole = headEnd + 4 + length;
  if (!/^HTTP\/1\.1 200 /.test(head) || !(whole <= LONGEST_ANSWER) || read.length > whole) return { body: undefined };
  return read.length < whole ? undefined : { body: read.subarray(headEnd + 4).toString() };
}

const silent = () => Object.assign(new Error('the other end did not say who it is'), { code: 'ECONNRESET' });

/** As much of `fetch` as a client of Supabase needs: whole bodies out, streams in, no redirects. */
function fetchByAgent(agent: Agent): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { signal, method } = request;
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(request.headers);
      if (body !== undefined) headers['content-length'] = String(body.byteLength);
      const outgoing = startRequest(request.url, { method, headers, agent, signal });
      outgoing.on('error', (cause) => {
        reject(signal.aborted ? signal.reason : new TypeError('fetch failed', { cause }));
      });
      outgoing.on('response', (incoming) => resolve(responseOf(incoming, method)));
      outgoing.end(body);
    });
  };
}

function responseOf(incoming: IncomingMessage, method: string): Response {
  const { statusCode: status = 502, statusMessage: statusText = '', rawHeaders } = incoming;
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  const isEmpty = method === 'HEAD' || status === 204 || status === 205 || status === 304;
  if (isEmpty) incoming.resume();
  const body = isEmpty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  return new Response(body, { status, statusText, headers });
}
