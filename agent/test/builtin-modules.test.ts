import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** What somebody has found out about each module of Node.js: how a pack that has it is kept from the machine. */
const JUDGED: Record<string, string> = {
  ...by('computes, and reaches nothing outside', [
    ...['assert', 'assert/strict', 'async_hooks', 'buffer', 'console', 'constants', 'diagnostics_channel', 'domain'],
    ...['events', 'path', 'path/posix', 'path/win32', 'perf_hooks', 'punycode', 'querystring', 'readline'],
    ...['readline/promises', 'stream', 'stream/consumers', 'stream/promises', 'stream/web', 'string_decoder', 'sys'],
    ...['timers', 'timers/promises', 'url', 'util', 'util/types', 'vm', 'zlib', 'zlib/iter', 'stream/iter'],
  ]),
  ...by('the permission model looks at every path; guardPaths() leaves no way up in one, and no links', [
    'fs',
    'fs/promises',
  ]),
  ...by('the permission model looks at every path and program', ['wasi', 'repl', 'test', 'test/reporters']),
  ...by('the permission model refuses programs, threads and debuggers; harden() takes the handle away', [
    ...['child_process', 'cluster', 'worker_threads', 'inspector', 'inspector/promises'],
  ]),
  ...by('harden() refuses socket files; TCP, UDP and names are open to pods', [
    ...['net', 'tls', 'tty', 'http', 'http2', 'https', 'dgram', 'dns', 'dns/promises'],
  ]),
  ...by('harden() takes what writes files or speaks to other processes', ['v8', 'os', 'process']),
  crypto: 'the permission model refuses engines, which are machine code',
  module: 'the permission model refuses hooks on a thread of their own, machine code, and a compile cache elsewhere',
  trace_events: 'writes into the folder that the process works in, which is the pod’s own; threads have none',
  sea: 'reads what was built into the program, and nothing was',
  sqlite: 'left out by --no-experimental-sqlite; harden() refuses what opens a file where it is there all the same',
  ...by('parts of public modules that Node.js has kept for old programs; the same checks stand behind them', [
    ...['_http_agent', '_http_client', '_http_common', '_http_incoming', '_http_outgoing', '_http_server'],
    ...['_stream_duplex', '_stream_passthrough', '_stream_readable', '_stream_transform', '_stream_wrap'],
    ...['_stream_writable', '_tls_common', '_tls_wrap'],
  ]),
};

/** Likewise of what `process` has beside what every event emitter has: everything that does something. */
const JUDGED_OF_PROCESS: Record<string, string> = {
  ...by('tells about this process', [
    ...[
      'cpuUsage',
      'threadCpuUsage',
      'hrtime',
      'memoryUsage',
      'resourceUsage',
      'uptime',
      'constrainedMemory',
      'availableMemory',
    ],
    ...['cwd', 'getuid', 'geteuid', 'getgid', 'getegid', 'getgroups', 'getActiveResourcesInfo', '_getActiveHandles'],
    ...['_getActiveRequests', 'hasUncaughtExceptionCaptureCallback', 'assert', 'getBuiltinModule'],
  ]),
  ...by('does something to this process alone', [
    ...['abort', 'exit', 'reallyExit', '_tickCallback', 'nextTick', 'emitWarning', 'umask', '_rawDebug', 'openStdin'],
    ...[
      'setUncaughtExceptionCaptureCallback',
      'addUncaughtExceptionCaptureCallback',
      'setSourceMapsEnabled',
      '_fatalException',
    ],
    ...['_startProfilerIdleNotifier', '_stopProfilerIdleNotifier', '_kill', 'ref', 'unref', 'traceProcessWarnings'],
  ]),
  ...by('harden() takes it away', [
    ...[
      'kill',
      '_kill',
      '_debugProcess',
      '_debugEnd',
      '_linkedBinding',
      'binding',
      'dlopen',
      'execve',
      'setuid',
      'seteuid',
    ],
    ...['setgid', 'setegid', 'setgroups', 'initgroups'],
  ]),
  ...by('the permission model looks at the path; guardPaths() leaves no way up in it', ['chdir']),
  ...by('writes the variables of the pod, not those of the process', ['loadEnvFile']),
};

/** Modules that only `node:` names; older versions do not list them. */
const BY_PREFIX = ['sea', 'sqlite', 'test', 'test/reporters', 'ffi', 'quic', 'vfs', 'zlib/iter', 'stream/iter'];

const LIST = `
  const { builtinModules, isBuiltin } = require('node:module');
  const named = ${JSON.stringify(BY_PREFIX)}.filter((name) => isBuiltin('node:' + name));
  const modules = [...new Set([...builtinModules.map((name) => name.replace(/^node:/, '')), ...named])];
  const own = Object.getOwnPropertyNames(process).filter((name) => typeof process[name] === 'function');
  console.log(JSON.stringify({ version: process.version, modules, own }));`;

function by(verdict: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, verdict]));
}

/** The Node.js of this run, and those that `npm run test:node` has fetched. */
function programs(): string[] {
  const kept = fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url));
  const found = existsSync(kept) ? readdirSync(kept) : [];
  const binaries = found.flatMap((version) => {
    const folder = join(kept, version, 'node_modules');
    if (!existsSync(folder)) return [];
    return readdirSync(folder).map((name) => join(folder, name, 'bin', 'node'));
  });
  return [process.execPath, ...binaries.filter((path) => existsSync(path))];
}

describe.each(programs())('the modules of %s', (program) => {
  const { version, modules, own } = JSON.parse(execFileSync(program, ['-e', LIST], { encoding: 'utf8' })) as {
    version: string;
    modules: string[];
    own: string[];
  };

  it('have been judged, each of them', () => {
    const unknown = modules.filter((name) => !(name in JUDGED));
    expect(unknown, `${version} has modules that nobody has judged; see docs/security.md`).toEqual([]);
    expect(modules.length).toBeGreaterThan(50);
  });

  it('and so has every function of process', () => {
    const unknown = own.filter((name) => !(name in JUDGED_OF_PROCESS));
    expect(unknown, `${version} has functions of process that nobody has judged`).toEqual([]);
    expect(own.length).toBeGreaterThan(30);
  });
});
