/** Says after a while that it can serve, more than once, and a number about itself. */
export default async ({ ready, metric, signal, log }) => {
  metric('queue', 4);
  metric('queue', 5);
  await new Promise((resolve) => setTimeout(resolve, 300));
  log.info('ready');
  ready();
  ready();
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
};
