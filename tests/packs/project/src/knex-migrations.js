import { join } from 'node:path';
import knex from 'knex';

/** Migrations that are scripts in a folder, which knex loads as files. */
export default async (ctx) => {
  const directory = join(import.meta.dirname, 'migrations');
  const database = knex({ client: 'pg', connection: ctx.config.database, migrations: { directory } });
  await database.migrate.latest();
  ctx.log.info(JSON.stringify(await database('migrated')));
  await database.destroy();
};
