import { Queue } from 'bullmq';

/** There is no Redis: the queue is made, with its scripts, and says so. */
export default async (ctx) => {
  const connection = { host: '127.0.0.1', port: 9, maxRetriesPerRequest: 0, retryStrategy: () => null };
  const queue = new Queue('work', { connection });
  queue.on('error', () => {});
  const error = await queue.add('job', {}).catch((reason) => reason);
  ctx.log.info(`${queue.name} ${error.message}`);
  await queue.close().catch(() => {});
  process.exit(0);
};
