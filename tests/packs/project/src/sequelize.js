import { Sequelize } from 'sequelize';

/** An ORM that asks for its driver by name. */
export default async (ctx) => {
  const database = new Sequelize(ctx.config.database, { logging: false });
  const [rows] = await database.query('select 4 as four');
  ctx.log.info(JSON.stringify(rows));
  await database.close();
};
