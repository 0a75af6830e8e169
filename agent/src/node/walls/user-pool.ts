import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lchownSync, lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asUser, working } from './system.js';

/** More than there are pods on a node. */
const USERS = 10_000;
/** Numbers that no distribution gives to anybody: first, the second half of those that containers leave free. */
const FIRST = 1_900_000_000;
const POOLS = 10_000;
/** In a container that has 65,536 users only. */
const FIRST_OF_FEW = 40_000;

/** Users without a name, one for each pod, for an agent that is root. Who a pod is stands in its folder's owner. */
export class UserPool {
  readonly #holders = new Map<number, string>();

  constructor(private readonly first: number) {}

  /** Undefined for an agent that is not root, or may not become somebody else. */
  static find(podsDir: string): UserPool | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const pool = createHash('sha256').update(podsDir).digest().readUInt32LE() % POOLS;
    const first = [FIRST + pool * USERS, FIRST_OF_FEW].find((user) => working('setpriv', [...asUser(user), '--']));
    if (first === undefined) return undefined;
    const users = new UserPool(first);
    const pods = existsSync(podsDir) ? readdirSync(podsDir) : [];
    for (const pod of pods) users.#keep(join(podsDir, pod, 'data'));
    return users;
  }

  /** Gives the folder and all in it to a user that nobody else is, and tells who that is; the same one as long as the folder exists. */
  own(folder: string): number {
    const { uid } = lstatSync(folder);
    if (this.#has(uid) && (this.#holders.get(uid) ?? folder) === folder) {
      this.#holders.set(uid, folder);
      return uid;
    }
    const user = this.#free();
    this.#holders.set(user, folder);
    giveAway(folder, user);
    return user;
  }

  /** Lets users of the pool read a file, or what is in a folder, of the agent's folder, which is closed to everybody else. */
  share(place: string, root: string): void {
    if (place.startsWith(`${root}/`)) chmodSync(place, lstatSync(place).isDirectory() ? 0o755 : 0o644);
  }

  /** Lets users of the pool pass to a place in the agent's folder: they may enter what leads there, and list none of it. */
  open(place: string, root: string): void {
    for (let at = dirname(place); at === root || at.startsWith(`${root}/`); at = dirname(at)) chmodSync(at, 0o711);
  }

  #keep(folder: string): void {
    if (!existsSync(folder)) return;
    const { uid } = lstatSync(folder);
    if (this.#has(uid) && !this.#holders.has(uid)) this.#holders.set(uid, folder);
  }

  #has(user: number): boolean {
    return user >= this.first && user < this.first + USERS;
  }

  #free(): number {
    for (let user = this.first; this.#has(user); user += 1) {
      const holder = this.#holders.get(user);
      if (holder === undefined || !existsSync(holder)) return user;
    }
    throw new Error('every user of the pool is a pod');
  }
}

function giveAway(path: string, user: number): void {
  const { nlink } = lstatSync(path);
  const folder = lstatSync(path).isDirectory();
  // A file with a second name may be somebody else's.
  if (!folder && nlink > 1) return;
  lchownSync(path, user, user);
  if (folder) for (const name of readdirSync(path)) giveAway(join(path, name), user);
}
