// Every way of the file system to a few places at once.
import { once } from 'node:events';
import fs from 'node:fs';

export default async (ctx) => {
  const { HOME_OF_AGENT, TMPDIR_OF_AGENT, NEIGHBOUR } = ctx.env;
  let refused;
  for (const folder of [HOME_OF_AGENT, TMPDIR_OF_AGENT, NEIGHBOUR]) {
    const attempts = [
      () => fs.appendFileSync(`${folder}/kept`, 'x'),
      () => fs.writeFileSync(`${folder}/planted`, 'x'),
      () => fs.rmSync(`${folder}/kept`),
      () => fs.chmodSync(`${folder}/kept`, 0o777),
      () => fs.utimesSync(`${folder}/kept`, 0, 0),
      () => fs.renameSync(`${folder}/kept`, 'mine'),
      () => fs.linkSync(`${folder}/kept`, 'hard'),
      () => fs.symlinkSync(folder, 'link'),
      () => fs.mkdirSync(`${folder}/planted`),
      () => fs.mkdtempSync(`${folder}/planted`),
      () => fs.truncateSync(`${folder}/kept`, 0),
      () => fs.cpSync('.', `${folder}/planted`, { recursive: true }),
      () => fs.promises.writeFile(Buffer.from(`${folder}/planted`), 'x'),
      () => once(fs.createWriteStream(new URL(`file://${folder}/planted`)), 'open'),
    ];
    for (const attempt of attempts) {
      try {
        await attempt();
        fs.appendFileSync('link/planted', 'x');
      } catch (error) {
        refused = error;
      }
    }
  }
  throw refused;
};
