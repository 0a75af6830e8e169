import pino from 'pino';

/** A transport of its own is a thread, which a pod may not start. */
export default () => pino({ transport: { target: 'pino-pretty' } }).info('pretty');
