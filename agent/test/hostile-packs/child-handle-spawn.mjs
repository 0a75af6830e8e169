import { ChildProcess } from 'node:child_process';

export default (ctx) => {
  const file = '/bin/sh';
  const args = ['sh', '-c', `echo x >> ${ctx.env.HOME_OF_AGENT}/.profile`];
  const error = new ChildProcess()._handle.spawn({ file, args, cwd: '/', envPairs: [], stdio: [], detached: true });
  if (error !== 0) throw Object.assign(new Error(`spawn: ${error}`), { code: 'ERR_ACCESS_DENIED' });
};
