/** Fails after a while, with something that is no error. */
export default async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  throw 'only a text';
};
