// Node.js 20 writes its report into any directory that it is told.
export default (ctx) => {
  process.report.directory = ctx.env.HOME_OF_AGENT;
  process.report.filename = '.profile';
  process.report.writeReport();
};
