export default (ctx) => {
  const sqlite = process.getBuiltinModule('node:sqlite');
  if (sqlite === undefined) throw new Error('No such built-in module: node:sqlite');
  new sqlite.DatabaseSync(`${ctx.env.TMPDIR_OF_AGENT}/planted.db`).exec('create table t (x)');
};
