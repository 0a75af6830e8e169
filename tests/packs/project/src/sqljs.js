import initSqlJs from 'sql.js';

/** SQLite in WebAssembly, which reads its program from a file beside its code. */
export default async (ctx) => {
  const SQL = await initSqlJs();
  const db = new SQL.Database();
  ctx.log.info(JSON.stringify(db.exec('select 40 + 2')[0].values));
};
