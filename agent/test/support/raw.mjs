// What a pod is once it has left the walls of Node.js: a process that may call everything, with machine code where it is given some.
// Prints a line for each attempt: its name and `got …` or `refused <code>`.
import cp from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';

const task = JSON.parse(process.argv[2]);
const { home, temporary, neighbour, dataDir, socket, agent } = task;
process.on('SIGUSR2', () => {});

let native;
if (fs.existsSync('addon.node')) {
  const loaded = { exports: {} };
  process.dlopen(loaded, join(process.cwd(), 'addon.node'));
  native = loaded.exports;
}
const codes = new Map(Object.entries(os.constants.errno).map(([name, number]) => [number, name]));
const call = (...args) => {
  const result = native(...args);
  if (result < 0) throw Object.assign(new Error('refused'), { code: codes.get(-result) ?? String(result) });
  return result;
};
const text = (value) => Buffer.from(`${value}\0`);
const connected = (path) =>
  new Promise((resolve, reject) => {
    net.connect(path, () => resolve('connected')).once('error', reject);
  });
const listening = (path) =>
  new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(path, () => server.close(() => resolve('listening')));
  });
const ran = ({ error, status }) => {
  if (error) throw error;
  return status;
};

const outside = {
  'reads what the agent keeps': () => fs.readFileSync(join(dataDir, 'session.json'), 'utf8'),
  'reads a neighbour': () => fs.readFileSync(join(neighbour, 'kept'), 'utf8'),
  'lists the home': () => fs.readdirSync(home).join(),
  'appends to a profile': () => fs.appendFileSync(join(home, '.profile'), 'x'),
  'makes a file in the home': () => fs.writeFileSync(join(home, 'planted'), 'x'),
  'makes a file in the temporary folder': () => fs.writeFileSync(join(temporary, 'planted'), 'x'),
  'makes a file in /tmp': () => fs.writeFileSync(`/tmp/stark-raw-${process.pid}-${Date.now()}`, 'x'),
  'makes a file in /dev/shm': () => fs.writeFileSync(`/dev/shm/stark-raw-${process.pid}-${Date.now()}`, 'x'),
  'makes a file beside its folder': () => fs.writeFileSync('../planted', 'x'),
  'changes a mode': () => fs.chmodSync(join(home, '.profile'), 0o777),
  'changes an owner': () => fs.chownSync(join(home, '.profile'), process.getuid(), process.getgid()),
  'changes a time': () => fs.utimesSync(join(home, '.profile'), 1, 1),
  'moves a file here': () => fs.renameSync(join(home, 'kept'), 'mine'),
  'links a file here': () => fs.linkSync(join(home, 'kept'), 'mine'),
  'removes a file': () => fs.rmSync(join(home, 'kept')),
  'overwrites the runtime': () => fs.appendFileSync(process.argv[1], '\n'),
  "reads the agent's environment": () => {
    const environment = fs.readFileSync(`/proc/${agent}/environ`, 'utf8');
    if (!environment.includes(`TMPDIR=${temporary}`)) throw Object.assign(new Error('its own'), { code: 'ESRCH' });
    return 'it';
  },
  "opens the agent's memory": () => fs.closeSync(fs.openSync(`/proc/${agent}/mem`, 'r+')),
  'signals the agent': () => {
    const isAnother = fs.readFileSync('/proc/self/status', 'utf8').includes(`\nPid:\t${agent}\n`);
    if (isAnother) throw Object.assign(new Error('its own number'), { code: 'ESRCH' });
    return process.kill(agent, 'SIGUSR2');
  },
  'runs a shell': () => ran(cp.spawnSync('/bin/sh', ['-c', 'exit 0'])),
  'runs a set-uid program': () => ran(cp.spawnSync('/usr/bin/passwd', ['-S'])),
  'starts itself again': () => ran(cp.spawnSync(process.execPath, ['-e', '0'])),
  'leaves a process behind': () => {
    const child = cp.spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      detached: true,
      stdio: 'ignore',
    });
    return new Promise((yes, no) => child.once('spawn', () => yes(child.pid)).once('error', no));
  },
  'connects to a socket file': () => connected(socket),
  'makes a socket file': () => listening(join(process.cwd(), 'mine')),
  'makes an abstract socket': () => listening(`\0stark-${process.pid}`),
};
const byMachineCode = {
  'kills the agent': () => call(62, agent, 12),
  'kills a thread of the agent': () => call(234, agent, agent, 12),
  'queues the agent a signal': () => call(129, agent, 12, Buffer.alloc(128)),
  'gets a handle of the agent': () => call(434, agent, 0),
  'traces the agent': () => call(101, 16, agent, 0, 0),
  "reads the agent's memory": () => call(310, agent, Buffer.alloc(16), 1, Buffer.alloc(16), 1, 0),
  'slows the agent down': () => call(141, 0, agent, 19),
  'limits the agent': () => call(302, agent, 7, 0, Buffer.alloc(16)),
  'makes a user namespace': () => call(272, 0x10000000),
  'makes a network namespace': () => call(272, 0x40000000),
  'clones into a namespace': () => call(56, 0x10000000 | 17, 0, 0, 0, 0),
  mounts: () => call(165, text('none'), text('/tmp'), text('tmpfs'), 0, 0),
  'changes its root': () => call(161, text('.')),
  'loads a program into the kernel': () => call(321, 0, Buffer.alloc(64), 64),
  'makes a ring of calls': () => call(425, 4, Buffer.alloc(120)),
  'handles page faults': () => call(323, 1),
  'counts events': () => call(298, Buffer.alloc(128), 0, -1, -1, 0),
  'joins a keyring': () => call(250, 1, 0),
  'adds a key': () => call(248, text('user'), text('k'), text('v'), 1, -4),
  'shares memory by a number': () => call(29, 4711, 4096, 0o1600),
  'makes a message queue': () => call(240, text('stark'), 0o102, 0o600, 0),
  'opens a socket of packets': () => call(41, 17, 3, 768),
  'opens a socket of machines': () => call(41, 40, 1, 0),
  'asks who listens here': () => call(41, 16, 3, 4),
  forks: () => call(56, 17, 0, 0, 0, 0),
  'shares memory with a child': () => call(56, 0x100 | 17, 0, 0, 0, 0),
  'opens a pair of sockets': () => call(53, 1, 1, 0, Buffer.alloc(8)),
  'opens a raw socket': () => call(41, 2, 3, 1),
  'opens a socket of streams of packets': () => call(41, 2, 5, 0),
  'opens a socket of SCTP': () => call(41, 2, 1, 132),
  'opens a socket of DCCP': () => call(41, 10, 6, 0),
  'gives an open file an attribute': () => call(190, 3, text('user.x'), Buffer.alloc(8), 8, 0),
  'calls what nobody knows yet': () => call(480, 0),
};
const own = {
  'writes its own file': () => fs.writeFileSync('own', 'x'),
  'moves its own file': () => {
    fs.mkdirSync('folder');
    fs.renameSync('own', 'folder/own');
  },
  'listens on a port': () => listening(0),
  'looks up a name': async () => (await import('node:dns/promises')).lookup('localhost'),
  'knows its interfaces': () => Object.keys(os.networkInterfaces()).length,
  'knows who it is': () => os.userInfo().username,
  'knows certificates': async () => (await import('node:tls')).rootCertificates.length,
  'opens sockets': () =>
    [
      [2, 1, 0],
      [2, 2 | 0o2000000, 0],
      [2, 1 | 0o4000, 6],
      [10, 2, 17],
      [16, 3, 0],
    ]
      .map((socket) => (native ? call(41, ...socket) : 'no machine code'))
      .join(),
  'uses threads': async () => {
    const { scrypt } = await import('node:crypto');
    return new Promise((resolve, reject) => scrypt('a', 'b', 8, (error) => (error ? reject(error) : resolve('done'))));
  },
};

for (const [group, attempts] of Object.entries({ outside, ...(native && { byMachineCode }), own })) {
  for (const [what, attempt] of Object.entries(attempts)) {
    try {
      console.log(`${group}: ${what}: got`, await attempt());
    } catch (error) {
      console.log(`${group}: ${what}: refused`, error.code ?? error.message);
    }
  }
}
function isForeign(fd) {
  try {
    return !/^(anon_inode|pipe|socket|\/proc\/\d+\/fd|\/dev\/(null|urandom))/.test(
      fs.readlinkSync(`/proc/self/fd/${fd}`),
    );
  } catch {
    return false;
  }
}
const limits = fs.readFileSync('/proc/self/limits', 'utf8');
for (const name of ['processes', 'data size', 'file size', 'core file size', 'open files']) {
  console.log(`limit: ${name}:`, new RegExp(`^Max ${name}\\s+(\\S+)`, 'm').exec(limits)?.[1]);
}
// The directory that is listed here is one of them.
console.log(
  'open files:',
  fs
    .readdirSync('/proc/self/fd')
    .filter((fd) => Number(fd) > 3 && isForeign(fd))
    .join(),
);
console.log('processes seen:', fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length);
process.exit(7);
