import bcrypt from 'bcryptjs';

export default async (ctx) => ctx.log.info(String(await bcrypt.compare('secret', await bcrypt.hash('secret', 4))));
