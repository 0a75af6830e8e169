/** Storage within one run: values, keys, and what is refused. */
export default async ({ storage, log }) => {
  const refused = async (act) => {
    try {
      await act();
      return 'done';
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  };
  log.info('missing', { value: (await storage.get('missing')) === undefined, keys: await storage.keys() });
  const value = { text: 'ünïcödé', list: [1, null, { deep: true }], number: 1.5, empty: '' };
  await storage.set('value', value);
  log.info('value', { same: await storage.get('value') });
  for (const key of ['b/2', 'b/1', 'a', 'Ä', 'B', 'with space', '..', 'a%2Fb']) await storage.set(key, key);
  log.info('keys', { all: await storage.keys(), b: await storage.keys('b/') });
  for (const one of [0, false, null, '', []]) await storage.set('falsy', one);
  log.info('falsy', { value: await storage.get('falsy') });
  await storage.delete('b/1');
  await storage.delete('never there');
  log.info('deleted', { b: await storage.keys('b/'), value: (await storage.get('b/1')) === undefined });
  await Promise.all(Array.from({ length: 200 }, (_, at) => storage.set(`many/${at}`, at)));
  log.info('many', { count: (await storage.keys('many/')).length, last: await storage.get('many/199') });
  log.info('refused', {
    empty: await refused(() => storage.set('', 1)),
    number: await refused(() => storage.get(1)),
    long: await refused(() => storage.set('k'.repeat(300), 1)),
    undefined: await refused(() => storage.set('key', undefined)),
    function: await refused(() => storage.set('key', () => {})),
    circle: (
      await refused(() => {
        const circle = {};
        circle.self = circle;
        return storage.set('key', circle);
      })
    ).split('\n', 1),
    kept: (await storage.get('key')) === undefined,
  });
};
