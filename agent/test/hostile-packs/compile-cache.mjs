import * as modules from 'node:module';

export default async (ctx) => {
  const status = modules.enableCompileCache?.(`${ctx.env.HOME_OF_AGENT}/cache`);
  await import('node:assert');
  modules.flushCompileCache?.();
  throw new Error(`compile cache: ${status?.message ?? 'not there'}`);
};
