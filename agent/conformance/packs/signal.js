/** A service that ends when it is asked to. */
export default async ({ signal, log }) => {
  log.info('before', { aborted: signal.aborted });
  log.info('serving');
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  log.info('after', { aborted: signal.aborted, reason: signal.reason.name });
};
