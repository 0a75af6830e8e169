import cron from 'node-cron';

export default (ctx) =>
  new Promise((resolve) => {
    const task = cron.schedule('* * * * * *', async () => {
      ctx.log.info('tick');
      await task.destroy();
      resolve();
    });
  });
