export default (ctx) => {
  Object.assign(process.report, { reportOnUncaughtException: true, reportOnSignal: true });
  Object.assign(process.report, { directory: ctx.env.TMPDIR_OF_AGENT, filename: 'kept' });
  process.report.writeReport(`${ctx.env.TMPDIR_OF_AGENT}/kept`);
};
