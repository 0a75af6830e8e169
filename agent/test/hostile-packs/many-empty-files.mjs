// They take no bytes, but a program that counts them pays for each.
import fs from 'node:fs';

export default async (ctx) => {
  for (let folder = 0; !ctx.signal.aborted && folder < 60; folder++) {
    fs.mkdirSync(String(folder));
    for (let n = 0; n < 500; n++) fs.writeFileSync(`${folder}/${n}`, '');
    await new Promise(setImmediate);
  }
  await new Promise(() => setInterval(() => {}, 1_000));
};
