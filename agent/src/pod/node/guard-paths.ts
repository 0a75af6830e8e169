import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import v8 from 'node:v8';
import { refusal } from './refusal.js';

type Callable = (this: unknown, ...values: unknown[]) => unknown;

// A pack may replace every method, those of strings and of promises too, so what decides here is taken before the pack is there.
const { resolve } = path;
const toPath = fileURLToPath;
const { isProxy } = types;
const { apply } = Reflect;
const { getPrototypeOf } = Object;
const Bytes = Uint8Array;
const includes = Function.prototype.call.bind(String.prototype.includes) as (text: string, part: string) => boolean;
const endsWith = Function.prototype.call.bind(String.prototype.endsWith) as (text: string, part: string) => boolean;

const exec = Function.prototype.call.bind(RegExp.prototype.exec) as (pattern: RegExp, text: string) => unknown;

const DOT = 0x2e;
const SLASH = 0x2f;
const ROOT = /^\/[/.]*$/;
/** Those that take a file descriptor; patterns, which Node.js puts together by itself; and the classes. */
const WITHOUT_PATH = /^(read|write|readv|writev|close|f[a-z]+|glob|_.*|[A-Z].*)(Sync)?$/;
const WITH_TWO_PATHS = /^(copyFile|cp|rename|link)(Sync)?$/;
const LINKS = /^symlink(Sync)?$/;
const REAL_PATHS = /^realpath(Sync)?$/;
/** They change files that may only be read, on all or some versions of Node.js. */
const CHANGES_OF_OPEN_FILES = /^(fchmod|fchown|futimes)(Sync)?$/;
const CHANGES_BY_HANDLE = ['chmod', 'chown', 'utimes'];

/**
 * Gives the system no path with `..` in it, and makes no symbolic links. Node's permission model looks at what a path says, while the
 * system goes where it leads: after a link, or a folder that has been moved since the look, `..` is somewhere else. Versions before
 * 20.20, 22.22 and 24.13 make links whose way up leads out; a folder that moves leads out of all of them.
 */
export async function guardPaths(): Promise<void> {
  const { permission } = process as { permission?: { has(scope: string, reference: string): boolean } };
  if (permission === undefined) return;
  const mayRead = permission.has.bind(permission, 'fs.read');
  // Its class has no other way to it.
  const handle = await fs.promises.open(toPath(import.meta.url));
  const Handle = getPrototypeOf(handle) as object;
  await handle.close();
  for (const name of CHANGES_BY_HANDLE) put(Handle, name, refusing(`filehandle.${name}`, true));

  /** The argument without `..`: a text of its own, which does not change between this look and the next. */
  const straight = (value: unknown): unknown => {
    if (typeof value === 'string') return withoutUps(value);
    if (typeof value !== 'object' || value === null) return value;
    if (!isProxy(value) && getPrototypeOf(value) === Handle) return value;
    return value instanceof Bytes ? bytesWithoutUps(value) : withoutUps(toPath(value as URL));
  };
  const guarded = (original: Callable, isPromise: boolean, paths = 1, isAllowed = (_: unknown) => true): Callable => {
    const wrapped = function (this: unknown, ...values: unknown[]): unknown {
      for (let at = 0; at < paths && at < values.length; at += 1) values[at] = straight(values[at]);
      if (!isAllowed(values[0])) throw refusal('a path outside');
      return apply(original, this, values);
    };
    // What was thrown is told the way that the function tells it.
    const guard = isPromise
      ? async function (this: unknown, ...values: unknown[]) {
          return apply(wrapped, this, values);
        }
      : wrapped;
    return dressed(guard, original);
  };
  const isReadable = (value: unknown) => typeof value !== 'string' || mayRead(resolve(value));

  for (const [module, isPromise] of [
    [fs, false],
    [fs.promises, true],
  ] as const) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(module))) {
      if (typeof value !== 'function') continue;
      if (CHANGES_OF_OPEN_FILES.test(name) || LINKS.test(name)) put(module, name, refusing(`fs.${name}`, isPromise));
      else if (REAL_PATHS.test(name)) {
        const real = guarded(value, isPromise, 1, isReadable);
        if ('native' in real) put(real, 'native', guarded(real.native as Callable, isPromise, 1, isReadable));
        put(module, name, real);
      } else if (!WITHOUT_PATH.test(name)) {
        put(module, name, guarded(value, isPromise && name !== 'watch', WITH_TWO_PATHS.test(name) ? 2 : 1));
      }
    }
  }
  put(process, 'chdir', guarded(process.chdir as Callable, false));
  put(v8, 'writeHeapSnapshot', guarded(v8.writeHeapSnapshot as Callable, false));
  syncBuiltinESMExports();
}

function withoutUps(text: string): string {
  const found = includes(text, '..') ? resolve(text) : text;
  // The model of Node.js 20 takes the root for readable, with whatever is in it.
  if (exec(ROOT, found) !== null) throw refusal('the root of the file system');
  if (found === text) return text;
  // The beginning of a name that is to be made may end so.
  return endsWith(text, '/') ? `${found}/` : found;
}

/** Bytes need not be text, so nothing is taken out of them. */
function bytesWithoutUps(value: Uint8Array): Uint8Array {
  const copy = new Bytes(value);
  let isRoot = copy[0] === SLASH;
  for (let at = 1; copy[at] !== undefined; at += 1) {
    if (copy[at] === DOT && copy[at - 1] === DOT) throw refusal('a path of bytes with ".."');
    if (copy[at] !== DOT && copy[at] !== SLASH) isRoot = false;
  }
  if (isRoot) throw refusal('the root of the file system');
  return copy;
}

function refusing(what: string, isPromise: boolean): Callable {
  const error = () => refusal(what);
  return isPromise
    ? async () => {
        throw error();
      }
    : () => {
        throw error();
      };
}

/** With the name and the members of the one that it stands for. */
function dressed(guard: Callable, original: Callable): Callable {
  return Object.defineProperties(guard, Object.getOwnPropertyDescriptors(original));
}

function put(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}
