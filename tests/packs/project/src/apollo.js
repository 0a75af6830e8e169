import { readFileSync } from 'node:fs';
import { ApolloServer } from '@apollo/server';

/** GraphQL with a schema in a file. */
export default async (ctx) => {
  const typeDefs = readFileSync(new URL('./schema.graphql', import.meta.url), 'utf8');
  const server = new ApolloServer({ typeDefs, resolvers: { Query: { hello: () => 'world' } } });
  const { body } = await server.executeOperation({ query: '{ hello }' });
  ctx.log.info(JSON.stringify(body.singleResult.data));
  await server.stop();
};
