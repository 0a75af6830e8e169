import net from 'node:net';

export default (ctx) =>
  new Promise((_, reject) => net.connect(ctx.env.SOCKET_OF_AGENT).once('error', reject).once('data', process.exit));
