import knex from 'knex';

/** knex makes a query for Postgres, and asks the server that listens at the given port. */
export default async (ctx) => {
  const db = knex({ client: 'pg', connection: ctx.config.database });
  ctx.log.info(JSON.stringify((await db.raw('select 1 + 1 as two')).rows));
  await db.destroy();
};
