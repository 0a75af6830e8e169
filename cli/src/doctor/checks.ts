import type { Check } from './check.js';
import { clock } from './checks/clock.js';
import { extensions } from './checks/extensions.js';
import { functions } from './checks/functions.js';
import { grants } from './checks/grants.js';
import { jobs } from './checks/jobs.js';
import { key } from './checks/key.js';
import { machine } from './checks/machine.js';
import { migrations } from './checks/migrations.js';
import { nodes } from './checks/nodes.js';
import { publicChannels } from './checks/public-channels.js';
import { realtime } from './checks/realtime.js';
import { schema } from './checks/schema.js';
import { session } from './checks/session.js';
import { tick } from './checks/tick.js';
import { url } from './checks/url.js';
import { vault } from './checks/vault.js';
import { watchCall } from './checks/watch-call.js';
import { watcher } from './checks/watcher.js';

/** All checks, from this machine to the nodes; each stands behind those that it leans on. */
export const allChecks = (starkVersion: string): readonly Check[] => [
  machine(starkVersion),
  url,
  clock,
  key,
  schema,
  session,
  functions,
  migrations,
  extensions,
  grants,
  jobs,
  tick,
  vault,
  watchCall,
  watcher,
  realtime,
  publicChannels,
  nodes,
];
