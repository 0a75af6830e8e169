/** Throws where no promise sees it. */
export default async ({ signal }) => {
  setTimeout(() => {
    throw new Error('thrown in a timer');
  }, 20);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
};
