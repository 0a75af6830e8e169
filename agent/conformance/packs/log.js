/** Levels, fields, and what is printed, in order. */
export default (ctx) => {
  ctx.log.debug('at debug');
  ctx.log.info('at info', { count: 1, nested: { list: [1, 'two', null] } });
  ctx.log.warn('at warn', {});
  ctx.log.error('at error', { when: new Date(0), missing: undefined });
  ctx.log.info(42);
  ctx.log.info('two\nlines');
  ctx.log.info('ünïcödé 🚀 \u0000 end');
  ctx.log.info('x'.repeat(20_000));
  const circle = {};
  circle.self = circle;
  ctx.log.info('a circle', circle);
  ctx.log.info('large fields', { text: 'y'.repeat(20_000) });
  console.log('printed', 1, true, null, undefined);
  console.info('%s has %d of %i%%', 'it', 1.5, 20.9);
  console.log('one\ntwo');
  console.warn('warned');
  console.error('went wrong');
  console.log('');
  ctx.log.info('last');
};
