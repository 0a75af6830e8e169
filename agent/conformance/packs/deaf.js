/** Takes no notice of being asked to stop. */
export default async ({ log }) => {
  log.info('serving');
  for (;;) await new Promise((resolve) => setTimeout(resolve, 1_000));
};
