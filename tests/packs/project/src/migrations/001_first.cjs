exports.up = async (knex) => {
  await knex.schema.createTable('migrated', (table) => table.integer('n'));
  await knex('migrated').insert({ n: 6 });
};
exports.down = (knex) => knex.schema.dropTable('migrated');
