/** Leaves a rejection to nobody that is no error either. */
export default async ({ signal }) => {
  void Promise.reject('nobody caught this text');
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
};
