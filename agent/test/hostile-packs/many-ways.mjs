// One pod tries everything: what it prints of each is its name and `got …` or `refused <code>`.
import cp from 'node:child_process';
import cluster from 'node:cluster';
import fs from 'node:fs';
import inspector from 'node:inspector';
import { setPriority } from 'node:os';
import v8 from 'node:v8';
import { Worker } from 'node:worker_threads';

export default async (ctx) => {
  const { NEIGHBOUR: neighbour } = ctx.env;
  const agent = Number(ctx.env.AGENT);
  const attempts = {
    'reads a file of the machine': () => fs.readFileSync('/etc/passwd', 'utf8'),
    'reads by an open directory': () => fs.promises.readdir('/etc'),
    'reads the environment of the agent': () => fs.readFileSync(`/proc/${agent}/environ`),
    'lists the root': () => fs.readdirSync('/'),
    'lists the root by another name': () => fs.promises.readdir('//./'),
    'lists the root by bytes': () => fs.readdirSync(Buffer.from('/')),
    'lists the root by a URL': () => fs.opendirSync(new URL('file:///')).readSync().name,
    'reads what the agent keeps': () => fs.readFileSync(`${neighbour}/../../../session.json`, 'utf8'),
    'reads a neighbour': () => fs.readFileSync(`${neighbour}/kept`, 'utf8'),
    'reads through a link': () => {
      fs.symlinkSync('/etc/passwd', 'link');
      return fs.readFileSync('link', 'utf8');
    },
    'reads through a hard link': () => {
      fs.linkSync('/etc/passwd', 'hard');
      return fs.readFileSync('hard', 'utf8');
    },
    'writes beside its folder': () => fs.writeFileSync('../escaped', 'x'),
    'overwrites the runtime': () => fs.writeFileSync(process.argv[1], 'x'),
    'overwrites its bundle': () => fs.writeFileSync(new URL(import.meta.url), 'x'),
    'leaves its folder': () => process.chdir('/etc'),
    'reads from the root': () => {
      process.chdir('/');
      return fs.readFileSync('etc/passwd', 'utf8');
    },
    'writes to the root': () => fs.writeFileSync('/stark-escaped', 'x'),
    'writes a report elsewhere': () => process.report.writeReport('/tmp/stark-report.json'),
    'writes its heap elsewhere': () => v8.writeHeapSnapshot('/tmp/stark.heapsnapshot'),
    'starts a program': () => cp.execFileSync('id'),
    'starts a Node.js process': () => cp.fork(process.argv[1]),
    'starts a worker': () => new Worker('1', { eval: true }),
    'makes itself a cluster': () => cluster.fork(),
    'opens the debugger': () => inspector.open(0),
    'opens the debugger of the agent': () => process.kill(agent, 'SIGUSR1'),
    'opens it another way': () => process._debugProcess(agent),
    'kills the agent': () => process.kill(agent, 'SIGKILL'),
    'kills it another way': () => process._kill(agent, 9),
    'kills everybody': () => process.kill(-1, 'SIGKILL'),
    'slows the agent down': () => setPriority(agent, 19),
    'loads machine code': () => process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6'),
    'reaches for internals': () => process.binding('spawn_sync'),
    'becomes somebody else': () => process.setuid(1),
  };
  for (const [what, attempt] of Object.entries(attempts)) {
    try {
      console.log(`${what}: got`, await attempt());
    } catch (error) {
      console.log(`${what}: refused`, error.code ?? error.message);
    }
  }
};
