// SQLite opens files by itself, past the permission model.
export default async (ctx) => {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(`${ctx.env.HOME_OF_AGENT}/planted.db`);
  database.exec('create table t (x)');
  new DatabaseSync(`${ctx.env.NEIGHBOUR}/planted.db`).exec('create table t (x)');
};
