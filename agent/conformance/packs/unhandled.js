/** Leaves a rejection to nobody, and would go on. */
export default async ({ signal }) => {
  void Promise.reject(new RangeError('caught by nobody'));
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
};
