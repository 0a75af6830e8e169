import sqlite from 'node-sqlite3-wasm';

/** SQLite in a file of the pod. Node's permission model has no fsync, which SQLite asks for unless it is told not to. */
export default (ctx) => {
  const database = new sqlite.Database(`${process.env.STARK_DATA_DIR}/notes.db`);
  database.exec('pragma synchronous = off; create table notes (n); insert into notes values (42)');
  ctx.log.info(JSON.stringify(database.all('select n from notes')));
  database.close();
};
