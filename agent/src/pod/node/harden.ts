import { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { isBuiltin, syncBuiltinESMExports } from 'node:module';
import { connect } from 'node:net';
import os from 'node:os';
import v8 from 'node:v8';
import { isMainThread } from 'node:worker_threads';
import { refusal } from './refusal.js';

interface RawProcess {
  _kill(pid: number, signal: number): number;
  reallyExit(code: number): never;
}

const raw = process as unknown as RawProcess;

/** Members of `process` that speak to other processes, or make this one another user's or another program. */
const PROCESS_MEMBERS = [
  ...['_kill', '_debugProcess', '_debugEnd', '_linkedBinding', 'binding', 'dlopen', 'execve'],
  ...['setuid', 'seteuid', 'setgid', 'setegid', 'setgroups', 'initgroups'],
];

/**
 * Members of `process.report` that choose where a report is written: Node.js 20 writes it wherever they say, whatever the
 * permission model says.
 */
const REPORT_MEMBERS = ['directory', 'filename', 'signal', 'reportOnSignal', 'reportOnFatalError'];

/** Signals that do nothing unless somebody listens. */
const IGNORED = new Set<string>(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH', 'SIGPIPE', 'SIGUSR1']);

/**
 * Closes what Node's permission model leaves open. Signals and priorities of other processes of the same user: a signal
 * could end the agent or, as SIGUSR1, open the debugger of any Node.js process. Socket files: behind them are servers that
 * trust every process that may open the file, such as a stack's control socket. Flags of the engine and reports, which write wherever
 * they are told to, and SQLite, which does the same. A thread may not end or retune the process it shares either.
 * It is the second wall: these are lists of names, and each Node.js brings new ones. Gives back the way to end this process.
 */
export function harden(): { die(): void } {
  const { pid } = process;
  const kill = raw._kill.bind(process);
  const reallyExit = raw.reallyExit.bind(process);
  replace(process, 'kill', (target: number, signal: string | number = 'SIGTERM') => {
    if (target !== pid || !isMainThread) throw refusal('a signal to another process');
    signalMyself(signal, kill, reallyExit);
    return true;
  });
  for (const name of PROCESS_MEMBERS) refuse(process, name, `process.${name}`);
  closeReport();
  refuse(os, 'setPriority', 'os.setPriority');
  for (const name of ['setFlagsFromString', 'setHeapSnapshotNearHeapLimit']) refuse(v8, name, `v8.${name}`);
  closeDatabases();
  syncBuiltinESMExports();
  const pipe = pipePrototype();
  for (const name of ['connect', 'connect2', 'bind', 'bind2', 'listen', 'fchmod']) refuse(pipe, name, 'a socket file');
  // A handle that started nothing has a number out of uninitialised memory, and would signal the process of that number.
  const child = childPrototype();
  for (const name of ['spawn', 'kill']) refuse(child, name, 'a child process');
  return {
    die: () => {
      kill(pid, os.constants.signals.SIGKILL);
      // Where the kernel refuses every signal, that to oneself included.
      reallyExit(128 + os.constants.signals.SIGKILL);
    },
  };
}

/** Signals this process; where the kernel refuses even that, does what the signal would. */
function signalMyself(signal: string | number, kill: RawProcess['_kill'], exit: RawProcess['reallyExit']): void {
  const { signals } = os.constants;
  const number = typeof signal === 'number' ? signal : signals[signal as NodeJS.Signals];
  if (number === undefined) throw new TypeError(`Unknown signal: ${signal}`);
  if (kill(process.pid, number) === 0 || number === 0) return;
  const name = Object.entries(signals).find(([, value]) => value === number)?.[0];
  if (name === undefined) throw new TypeError(`Unknown signal: ${signal}`);
  const heard = number !== signals.SIGKILL && (process as EventEmitter).emit(name, name, number);
  if (!heard && !IGNORED.has(name)) exit(128 + number);
}

/** A report may be read, and be written nowhere. */
function closeReport(): void {
  const { report } = process;
  for (const name of REPORT_MEMBERS) {
    if (!(name in report)) continue;
    const value = report[name as keyof typeof report];
    const set = () => {
      throw refusal(`process.report.${name}`);
    };
    Object.defineProperty(report, name, { get: () => value, set, configurable: false });
  }
  refuse(report, 'writeReport', 'process.report.writeReport');
}

/** The flag that leaves SQLite out is one of some versions only. Where the module is there all the same, nothing opens a file by it. */
function closeDatabases(): void {
  if (!isBuiltin('node:sqlite')) return;
  const sqlite = process.getBuiltinModule('node:sqlite') as Record<string, unknown>;
  for (const [name, value] of Object.entries(sqlite)) {
    if (typeof value === 'function') refuse(sqlite, name, `node:sqlite's ${name}`);
  }
}

/** What every socket file is opened through, however a pack gets there (net, http, its own handle). */
function pipePrototype(): object {
  // Nobody answers at a folder; asking is what makes the handle.
  const socket = connect('/').on('error', () => {}) as unknown as { _handle: object; destroy(): void };
  const prototype = Object.getPrototypeOf(socket._handle) as object;
  socket.destroy();
  return prototype;
}

/** What every child process is started and signalled through. */
function childPrototype(): object {
  const Child = ChildProcess as unknown as new () => { _handle: object };
  return Object.getPrototypeOf(new Child()._handle) as object;
}

function refuse(target: object, name: string, what: string): void {
  replace(target, name, () => {
    throw refusal(what);
  });
}

function replace(target: object, name: string, value: unknown): void {
  if (name in target) Object.defineProperty(target, name, { value, writable: false, configurable: false });
}
