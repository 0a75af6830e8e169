import mysql from 'mysql2/promise';

/** There is no server: what it says of that is what Node.js says. */
export default async (ctx) => {
  const text = mysql.format('select ? as a', ["o'clock"]);
  const code = await mysql.createConnection('mysql://127.0.0.1:9/x').catch((error) => error.code);
  ctx.log.info(`${text} ${code}`);
};
