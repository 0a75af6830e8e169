import { Bot } from 'grammy';

export default async (ctx) => {
  const bot = new Bot('1:x', { botInfo: { id: 1, is_bot: true, first_name: 'b', username: 'b' } });
  bot.on('message:text', (update) => ctx.log.info(`heard ${update.message.text}`));
  await bot.handleUpdate({
    update_id: 1,
    message: { message_id: 1, date: 0, chat: { id: 1, type: 'private', first_name: 'a' }, text: 'hi' },
  });
};
