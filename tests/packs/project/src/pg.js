import pg from 'pg';

export default async (ctx) => {
  const client = new pg.Client(ctx.config.database);
  await client.connect();
  ctx.log.info(JSON.stringify((await client.query('select $1::text as name', ['pg'])).rows));
  await client.end();
};
