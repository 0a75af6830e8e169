/** What a pack is told of itself, and that it cannot change it. */
export default (ctx) => {
  const frozen = (value) =>
    Object.isFrozen(value) && Object.values(value).every((one) => typeof one !== 'object' || frozen(one));
  const refused = (change) => {
    try {
      change();
      return 'changed';
    } catch (error) {
      return error.name;
    }
  };
  ctx.log.info('members', { names: Object.keys(ctx).sort() });
  ctx.log.info('pod', { members: Object.keys(ctx.pod).sort(), namespace: ctx.pod.namespace, labels: ctx.pod.labels });
  ctx.log.info('pack', ctx.pack);
  ctx.log.info('node', { members: Object.keys(ctx.node), named: ctx.node.name.length > 0 });
  ctx.log.info('config', ctx.config);
  ctx.log.info('env', ctx.env);
  ctx.log.info('numbers', {
    reserved: refused(() => ctx.metric('cpu', 1)),
    named: refused(() => ctx.metric('two words', 1)),
    endless: refused(() => ctx.metric('queue', Number.POSITIVE_INFINITY)),
    text: refused(() => ctx.metric('queue', '5')),
    eleven: refused(() => {
      for (let i = 0; i < 11; i++) ctx.metric(`n${i}`, i);
    }),
  });
  ctx.log.info('frozen', {
    all: [ctx.pod, ctx.pack, ctx.node, ctx.log, ctx.config, ctx.env, ctx.ports].map(frozen),
    pod: refused(() => {
      ctx.pod.name = 'another';
    }),
    config: refused(() => {
      ctx.config.nested.list.push(1);
    }),
    context: refused(() => {
      ctx.ready = () => {};
    }),
  });
};
