import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { get, served } from './served.js';

/** socket.io serves its client file, which stands beside its code. */
export default async (ctx) => {
  const http = createServer();
  const io = new Server(http);
  const url = await served(http.listen(0));
  const client = await get(`${url}socket.io/socket.io.min.js`);
  const handshake = await get(`${url}socket.io/?EIO=4&transport=polling`);
  ctx.log.info(`${client.includes('Socket.IO v4')} ${handshake.startsWith('0{"sid"')}`);
  io.close();
};
