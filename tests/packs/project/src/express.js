import { readFile } from 'node:fs/promises';
import express from 'express';
import multer from 'multer';
import { served } from './served.js';

/** Express takes a file with multer and keeps it in the temporary folder. */
export default async (ctx) => {
  const app = express();
  app.set('views', new URL('./views', import.meta.url).pathname);
  app.post('/', multer({ storage: multer.diskStorage({}) }).single('file'), async (request, response) =>
    response.send(await readFile(request.file.path, 'utf8')),
  );
  const url = await served(app.listen(0));
  const form = new FormData();
  form.set('file', new Blob(['uploaded']), 'a.txt');
  ctx.log.info(await (await fetch(url, { method: 'POST', body: form })).text());
};
