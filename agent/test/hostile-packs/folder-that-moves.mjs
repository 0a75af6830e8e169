// What a path says is looked at first, and used by another thread afterwards: meanwhile the folder that it starts from has moved up.
import { scrypt } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';

const here = process.cwd();
const ups = here.split('/').length;

/** Works in a deep folder that moves to the top while what was asked for waits. */
async function meanwhile(name, act) {
  const deep = join(here, 'deep', name, ...Array.from({ length: ups + 3 }, (_, at) => String(at)));
  fs.mkdirSync(deep, { recursive: true });
  fs.mkdirSync(join(here, 'moved'), { recursive: true });
  process.chdir(deep);
  // The other threads are busy, so the two things happen one after the other.
  const busy = Array.from({ length: 3 }, () => new Promise((done) => scrypt('a', 'b', 64, { N: 2048 }, done)));
  const moved = fs.promises.rename(deep, join(here, 'moved', name));
  try {
    return await Promise.all([act('../'.repeat(ups + 1)), moved]).then(([got]) => got);
  } finally {
    await Promise.allSettled([...busy, moved]);
    process.chdir(here);
  }
}

const heard = (act) => new Promise((yes, no) => act((error, value) => (error ? no(error) : yes(value))));

/** Whatever a pack replaces, what is looked at stays what is used. */
async function replaceMethods() {
  String.prototype.includes = () => false;
  String.prototype.endsWith = () => false;
  RegExp.prototype.test = () => false;
  RegExp.prototype.exec = () => null;
  try {
    (await import('node:path')).default.resolve = (path) => path;
    (await import('node:module')).default.syncBuiltinESMExports();
  } catch {
    // Frozen.
  }
}

export default async (ctx) => {
  // Node.js 20.19 rejects a promise beside the one that it gives.
  process.on('unhandledRejection', () => {});
  const home = ctx.env.HOME_OF_AGENT.slice(1);
  fs.writeFileSync('mine', 'mine');
  const attempts = {
    writeFile: (up) => fs.promises.writeFile(`${up}${home}/planted-a`, 'x'),
    'writeFile by bytes': (up) => fs.promises.writeFile(Buffer.from(`${up}${home}/planted-b`), 'x'),
    'writeFile by something like a URL': (up) =>
      fs.promises.writeFile(
        { href: 'file:', protocol: 'file:', hostname: '', pathname: `${up}${home}/planted-c` },
        'x',
      ),
    'writeFile with a callback': (up) => heard((done) => fs.writeFile(`${up}${home}/planted-d`, 'x', done)),
    'a stream': (up) =>
      heard((done) => fs.createWriteStream(`${up}${home}/planted-e`).on('error', done).end('x', done)),
    open: (up) => fs.promises.open(`${up}${home}/planted-f`, 'w').then((file) => file.close()),
    appendFile: (up) => fs.promises.appendFile(`${up}${home}/.profile`, 'x'),
    mkdir: (up) => fs.promises.mkdir(`${up}${home}/planted-g`),
    mkdtemp: (up) => fs.promises.mkdtemp(`${up}${home}/planted-`),
    copyFile: (up) => fs.promises.copyFile(join(here, 'mine'), `${up}${home}/planted-h`),
    rename: (up) => fs.promises.rename(join(here, 'mine'), `${up}${home}/planted-i`),
    link: (up) => fs.promises.link(`${up}${home}/kept`, join(here, 'linked')),
    rm: (up) => fs.promises.rm(`${up}${home}/kept`),
    chmod: (up) => fs.promises.chmod(`${up}${home}/kept`, 0o777),
    truncate: (up) => heard((done) => fs.truncate(`${up}${home}/kept`, 0, done)),
    utimes: (up) => fs.promises.utimes(`${up}${home}/kept`, 1, 1),
    readFile: (up) => fs.promises.readFile(`${up}${home}/kept`, 'utf8').then((text) => `read ${text}`),
    readdir: (up) => fs.promises.readdir(`${up}${home}`).then((names) => `read ${names}`),
    copy: (up) => fs.promises.cp(`${up}${home}/kept`, join(here, 'copied')),
  };
  for (const round of ['first', 'second']) {
    for (const [name, attempt] of Object.entries(attempts)) {
      const end = await meanwhile(`${round} ${name}`, attempt).then(
        (got) => `got ${got}`,
        (error) => `refused ${error.code ?? error.message}`,
      );
      if (!end.startsWith('refused')) console.log(`${name}: ${end}`);
    }
    await replaceMethods();
  }
  console.log('tried', Object.keys(attempts).length);
};
