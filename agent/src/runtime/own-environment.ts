import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { parseEnv } from 'node:util';

/** Time zones as the system names them: no path that leads anywhere else. Node.js reads the zone anew whenever it is set. */
const TIME_ZONE = /^[A-Za-z][\w+-]*(\/[A-Za-z0-9][\w+-]*){0,2}$/;

/**
 * Gives the pack variables of its own in place of the process's. Libraries below Node.js read theirs late and trust them: by
 * RESOLV_HOST_CONF glibc prints the lines of any file, by SSL_CERT_FILE OpenSSL reads one, past the permission model. Those
 * that Node.js itself asks for come from here, as before.
 */
export function ownEnvironment(): void {
  const real = process.env;
  const own = new Proxy<NodeJS.ProcessEnv>(
    { ...real },
    {
      set: (target, name, value) => put(target, name, value),
      defineProperty: (target, name, { value, ...rest }) => {
        if (rest.get !== undefined || rest.set !== undefined) throw new TypeError('a variable has a value');
        return put(target, name, value);
      },
      deleteProperty: (target, name) => {
        if (name === 'TZ') delete real.TZ;
        return Reflect.deleteProperty(target, name);
      },
    },
  );
  const put = (target: NodeJS.ProcessEnv, name: string | symbol, value: unknown) => {
    if (typeof name === 'symbol') throw new TypeError('a symbol names no variable');
    const text = String(value);
    if (name === 'TZ' && TIME_ZONE.test(text)) real.TZ = text;
    return Reflect.set(target, name, text);
  };
  Object.defineProperty(process, 'env', { value: own, enumerable: true, configurable: false, writable: false });
  const loadEnvFile = (path: string | URL | Buffer = '.env') => {
    for (const [name, value] of Object.entries(parseEnv(readFileSync(path, 'utf8')))) own[name] ??= value;
  };
  Object.defineProperty(process, 'loadEnvFile', { value: loadEnvFile, configurable: false, writable: false });
  syncBuiltinESMExports();
}
