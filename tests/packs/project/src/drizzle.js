import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { integer, pgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';

/** Migrations that stand in files. */
export default async (ctx) => {
  const pool = new pg.Pool({ connectionString: ctx.config.database });
  const database = drizzle(pool);
  await migrate(database, { migrationsFolder: join(import.meta.dirname, 'drizzle') });
  ctx.log.info(JSON.stringify(await database.select().from(pgTable('drizzled', { n: integer('n') }))));
  await pool.end();
};
