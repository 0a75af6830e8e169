import fs from 'node:fs';

export default async () => {
  fs.mkdirSync('closed');
  for (let n = 0; n < 4; n++) fs.writeFileSync(`closed/${n}`, Buffer.alloc(1024 * 1024, 1));
  fs.chmodSync('closed', 0);
  await new Promise(() => setInterval(() => {}, 1_000));
};
