import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { parseEnv } from 'node:util';

// A pack may replace every method, those of texts and maps too, so what decides here is taken before the pack is there.
const exec = Function.prototype.call.bind(RegExp.prototype.exec) as (pattern: RegExp, text: string) => unknown;

/** Time zones that the system names; others are read as paths. */
const ZONE = /^[A-Za-z][\w+-]*(\/[A-Za-z0-9][\w+-]*){0,2}$/;
/** What Node.js asks the process for each time, as os.homedir and os.tmpdir do, beside the time zone. */
const PLACE = /^(HOME|TMPDIR|TMP|TEMP)$/;

const isAskedLate = (name: string) => name === 'TZ' || exec(PLACE, name) !== null;
const leadsNowhere = (name: string, text: string) => name !== 'TZ' || exec(ZONE, text) !== null;

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
        if (typeof name === 'string' && isAskedLate(name)) delete real[name];
        return Reflect.deleteProperty(target, name);
      },
    },
  );
  const put = (target: NodeJS.ProcessEnv, name: string | symbol, value: unknown) => {
    if (typeof name === 'symbol') throw new TypeError('a symbol names no variable');
    // Whatever String has become.
    const text = `${value}`;
    if (isAskedLate(name) && leadsNowhere(name, text)) real[name] = text;
    return Reflect.set(target, name, text);
  };
  // A pack may put others in their place, as tests do: the process's own are out of reach all the same.
  process.env = own;
  process.loadEnvFile = (path = '.env') => {
    const { env } = process;
    for (const [name, value] of Object.entries(parseEnv(readFileSync(path, 'utf8')))) env[name] ??= value;
  };
  syncBuiltinESMExports();
}
