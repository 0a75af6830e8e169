/** Says after a while that it can serve; more than once. */
export default async ({ ready, signal, log }) => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  log.info('ready');
  ready();
  ready();
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
};
