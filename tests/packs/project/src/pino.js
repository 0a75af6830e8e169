import pino from 'pino';
import pretty from 'pino-pretty';

/** pino writes by a stream; a transport of its own would be a thread. */
export default () => {
  const log = pino(pretty({ colorize: false, sync: true, ignore: 'pid,hostname,time' }));
  log.info({ n: 1 }, 'pretty');
};
