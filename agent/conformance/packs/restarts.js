/** Fails twice, remembers that over its restarts, and ends well the third time. */
export default async ({ storage, log }) => {
  const starts = ((await storage.get('starts')) ?? 0) + 1;
  await storage.set('starts', starts);
  log.info(`start ${starts}`);
  if (starts < 3) throw new Error(`not yet (${starts})`);
};
