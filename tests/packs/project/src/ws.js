import { once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';

export default async (ctx) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (socket) => socket.on('message', (text) => socket.send(`echo ${text}`)));
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  await once(client, 'open');
  client.send('hi');
  ctx.log.info(String((await once(client, 'message'))[0]));
  client.terminate();
  server.close();
};
