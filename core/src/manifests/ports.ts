import * as v from 'valibot';
import { dnsLabel, whole } from './fields.js';

const port = v.pipe(
  v.strictObject({
    name: dnsLabel,
    strategy: v.optional(v.picklist(['random', 'fixed'])),
    port: v.optional(whole(1, 65535)),
  }),
  v.check(
    (it) => it.strategy === undefined || (it.strategy === 'fixed') === (it.port !== undefined),
    'names a port exactly when its strategy is fixed',
  ),
);

/** The checks of the ports that a pod, or each pod of a pack, listens on. */
export const ports = v.pipe(
  v.array(port),
  v.maxLength(32, 'has more than 32 ports'),
  v.check((list) => new Set(list.map(({ name }) => name)).size === list.length, 'has two ports of the same name'),
);
