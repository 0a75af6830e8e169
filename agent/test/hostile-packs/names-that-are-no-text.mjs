// What a reader of text does not find under its name counts nothing.
import fs from 'node:fs';

export default async () => {
  const here = Buffer.from(`${process.cwd()}/`);
  for (let n = 0; n < 12; n++)
    fs.writeFileSync(Buffer.concat([here, Buffer.from([0xff, 0x41 + n])]), Buffer.alloc(1024 * 1024, 1));
  await new Promise(() => setInterval(() => {}, 1_000));
};
