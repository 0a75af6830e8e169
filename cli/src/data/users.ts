import { type UserRow, users } from '@stark-o/core/resources';
import type { OutputFormat } from '../base/format.js';
import { printChanged } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { findObjects } from './query.js';

/** Users by e-mail address or id. */
export function findUsers(connection: Connection, names: readonly string[]): Promise<UserRow[]> {
  return findObjects(connection, users, { names });
}

/** Makes a call for each user, and prints the users as they are then. */
export async function changeUsers(
  connection: Connection,
  names: readonly string[],
  change: (user: UserRow) => Promise<unknown>,
  done: string,
  format: OutputFormat,
): Promise<void> {
  const found = await findUsers(connection, names);
  for (const user of found) await change(user);
  await printChanged(
    users,
    await findUsers(
      connection,
      found.map(({ id }) => id),
    ),
    done,
    format,
  );
}
