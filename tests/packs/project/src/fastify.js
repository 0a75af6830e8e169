import Fastify from 'fastify';

/** Fastify answers, checked against a schema that it compiles. */
export default async (ctx) => {
  const app = Fastify({ logger: true });
  const schema = { querystring: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } } };
  app.get('/', { schema }, async ({ query }) => ({ twice: query.n * 2 }));
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  ctx.log.info(`${await (await fetch(`${url}/?n=21`)).text()} ${(await fetch(`${url}/?n=x`)).status}`);
  await app.close();
};
