// A file that may only be read, changed through its open file.
import fs from 'node:fs';

export default async () => {
  const runtime = process.argv[1];
  const fd = fs.openSync(runtime, 'r');
  const handle = await fs.promises.open(runtime, 'r');
  const attempts = [
    () => fs.fchmodSync(fd, 0o777),
    () => fs.futimesSync(fd, 1, 1),
    () => fs.ftruncateSync(fd, 0),
    () => new Promise((yes, no) => fs.futimes(fd, 1, 1, (error) => (error ? no(error) : yes()))),
    () => handle.chmod(0o777),
    () => handle.utimes(1, 1),
    () => handle.chown(0, 0),
    () => handle.truncate(0),
    () => Object.getPrototypeOf(handle).chmod.call(handle, 0o777),
    () => {
      fs.linkSync(runtime, 'mine');
      fs.appendFileSync('mine', 'x');
    },
  ];
  for (const attempt of attempts) {
    const end = await Promise.resolve()
      .then(attempt)
      .then(
        () => 'got',
        (error) => `refused ${error.code}`,
      );
    console.log(end);
  }
  // Else Node.js may warn of it in the log, when it collects what nobody has any more.
  await handle.close();
};
