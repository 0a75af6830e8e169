import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok } from '../finding.js';

const oldest: readonly [number, number] = [20, 19];

/** What this machine runs the command with. */
export const machine = (starkVersion: string, nodeVersion: string = process.version): Check => ({
  id: 'machine',
  title: 'Node.js and this command',
  run: () => judge(starkVersion, nodeVersion),
});

function judge(starkVersion: string, nodeVersion: string): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const said = `stark ${starkVersion}, Node.js ${nodeVersion}`;
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    return failed(`${said}: at least 20.19 is needed`, 'install Node.js 22 or newer');
  }
  return ok(said);
}
