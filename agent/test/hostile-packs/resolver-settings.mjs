// glibc reads the file that this variable names when a name is first looked up, and prints lines that it does not understand.
import dns from 'node:dns';
import fs from 'node:fs';

export default async (ctx) => {
  const file = `${ctx.env.HOME_OF_AGENT}/kept`;
  fs.writeFileSync('settings', `RESOLV_HOST_CONF=${file}\nSSL_CERT_FILE=${file}\n`);
  process.loadEnvFile('settings');
  process.env.RESOLV_HOST_CONF = file;
  Object.defineProperty(process.env, 'RESOLV_HOST_CONF', {
    value: file,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  Object.assign(process.env, { RESOLV_HOST_CONF: file });
  const error = process.stderr.write.bind(process.stderr);
  await new Promise((resolve) => dns.lookupService('127.0.0.1', 22, resolve));
  error(`looked up with ${process.env.RESOLV_HOST_CONF === file}\n`);
};
