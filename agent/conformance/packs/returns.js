/** Does its work and is done, without waiting for anything. */
export default (ctx) => ctx.log.info('done');
