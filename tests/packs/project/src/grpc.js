import { join } from 'node:path';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** gRPC over a .proto that is read at run time, with one that its loader brings. */
export default async (ctx) => {
  const { Greeter } = grpc.loadPackageDefinition(loadSync(join(import.meta.dirname, 'proto/greeter.proto'))).hello;
  const server = new grpc.Server();
  server.addService(Greeter.service, {
    greet: ({ request }, answer) => answer(null, { name: `hi ${request.name}` }),
    wait: (_, answer) => answer(null, {}),
  });
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const client = new Greeter(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const { name } = await new Promise((resolve, reject) =>
    client.greet({ name: 'grpc' }, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
  ctx.log.info(name);
  client.close();
  server.forceShutdown();
};
