import { Client, EmbedBuilder, GatewayIntentBits } from 'discord.js';

export default async (ctx) => {
  const client = new Client({ intents: [GatewayIntentBits.Guilds] });
  const error = await client.login('no token').catch((reason) => reason);
  ctx.log.info(`${error.code} ${new EmbedBuilder().setTitle('hi').toJSON().title}`);
  await client.destroy();
};
