import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Where a stack proves which one it is. */
export const identityPath = '/.well-known/stark';

// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

type Ends = Pick<IncomingMessage['socket'], 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>;

/**
 * Who this stack is, in a way that nobody else can say: while it is down, another program of the machine may listen on its port,
 * a pod for example, and agents and commands would show it their tokens. The key follows from the JWT secret, so it stays as
 * long as the sessions do, and there is nothing more to keep.
 */
export class StackIdentity {
  readonly #key: KeyObject;
  /** The public key: what agents and commands remember. */
  readonly publicKey: string;

  constructor(jwtSecret: string) {
    const seed = Buffer.from(hkdfSync('sha256', jwtSecret, '', 'stark stack identity', 32));
    this.#key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
    this.publicKey = createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).toString('base64url');
  }

  /**
   * The answer to a challenge. It holds for one connection, by both of its ends as this one sees them: who passes a challenge on
   * comes from another port than the one who asked, and if the stack is really elsewhere, gets there by another address.
   */
  prove(nonce: string, socket: Ends): { key: string; proof: string } {
    const here = placeOf(socket.localAddress, socket.localPort);
    const there = placeOf(socket.remoteAddress, socket.remotePort);
    const said = `stark stack identity\n${nonce}\n${here}\n${there}`;
    return { key: this.publicKey, proof: sign(null, Buffer.from(said), this.#key).toString('base64url') };
  }
}

/** A server that listens on IPv6 sees IPv4 inside it. */
const placeOf = (address = '', port = 0) => `${address.replace(/^::ffff:(?=\d+\.)/i, '')} ${port}`;

/** The nonce of a challenge, of 16 to 64 bytes in base64url. */
export function nonceOf(url: URL): string | undefined {
  const nonce = url.searchParams.get('nonce') ?? '';
  return /^[\w-]{22,86}$/.test(nonce) ? nonce : undefined;
}
