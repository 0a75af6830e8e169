import * as v from 'valibot';
import { described, dnsLabel, optional, whole } from './fields.js';

const port = v.pipe(
  v.strictObject({
    name: described('Its name; the pack finds the number as ctx.ports.<name>.', dnsLabel),
    strategy: optional(
      'fixed has a number, random takes a free one; says what port, or its absence, says.',
      v.picklist(['random', 'fixed']),
    ),
    port: optional('The number, where it is fixed. Two pods with one fixed port never share a node.', whole(1, 65535)),
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
