import 'reflect-metadata';
import { DataSource, EntitySchema } from 'typeorm';

const Note = new EntitySchema({
  name: 'note',
  columns: { id: { type: Number, primary: true, generated: true }, text: { type: String } },
});

/** An ORM over Postgres; what it would load for other databases is left out. */
export default async (ctx) => {
  const source = new DataSource({ type: 'postgres', url: ctx.config.database, entities: [Note] });
  await source.initialize();
  ctx.log.info(JSON.stringify(await source.query('select 3 as three')));
  ctx.log.info(source.getRepository('note').createQueryBuilder('n').where('n.id = 1').getQuery());
  await source.destroy();
};
