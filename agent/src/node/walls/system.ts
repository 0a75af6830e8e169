import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a Node.js process opens of a system beside its own program: libraries, and how names, times and certificates are found. */
const LIBRARIES = ['/usr/lib', '/usr/lib64', '/usr/lib32', '/lib', '/lib64'];
const SETTINGS = [
  ...['/etc/ld.so.cache', '/etc/ld-musl-x86_64.path', '/etc/ld-musl-aarch64.path', '/etc/localtime', '/etc/timezone'],
  ...['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf', '/etc/host.conf', '/etc/gai.conf', '/etc/services'],
  ...['/etc/protocols', '/etc/ssl', '/etc/pki', '/etc/ca-certificates'],
  ...['/usr/share/zoneinfo', '/usr/share/ca-certificates', '/usr/share/pki', '/sys/devices/system/cpu'],
];

/** This program, by the path that no link leads away from. */
export const NODE = realpathSync(process.execPath);

/** Libraries of the system: folders, and links from one to the other. */
export function libraries(): { folders: string[]; links: { path: string; target: string }[] } {
  const folders: string[] = [];
  const links: { path: string; target: string }[] = [];
  for (const path of LIBRARIES.filter((each) => existsSync(each))) {
    if (lstatSync(path).isSymbolicLink()) links.push({ path, target: readlinkSync(path) });
    else folders.push(path);
  }
  return { folders, links };
}

/** Files and folders of the system's settings that are here. */
export function settings(): string[] {
  return SETTINGS.filter((path) => existsSync(path));
}

/** Where a program is, for commands whose environment has no PATH. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (!folder.startsWith('/') || !mayExecute(path)) continue;
    return path;
  }
  return undefined;
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The start of a command line by this program, where it works on this machine; undefined elsewhere. */
export function working(name: string, args: readonly string[]): string[] | undefined {
  const path = process.platform === 'linux' ? findProgram(name) : undefined;
  const nothing = findProgram('true');
  if (path === undefined || nothing === undefined) return undefined;
  return spawnSync(path, [...args, nothing], { stdio: 'ignore' }).status === 0 ? [path, ...args] : undefined;
}

/** What `setpriv` is told to become somebody else. */
export function asUser(user: number): string[] {
  return ['--reuid', String(user), '--regid', String(user), '--clear-groups', '--inh-caps=-all'];
}
