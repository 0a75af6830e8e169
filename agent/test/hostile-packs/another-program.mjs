export default (ctx) => {
  if (process.execve === undefined) throw new Error('process.execve is not there');
  process.execve('/bin/sh', ['sh', '-c', `echo x >> ${ctx.env.HOME_OF_AGENT}/.profile`], {});
};
