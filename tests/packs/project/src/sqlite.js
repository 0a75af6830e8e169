import Database from 'better-sqlite3';

export default (ctx) => ctx.log.info(new Database('data.db').prepare('select 1').get());
