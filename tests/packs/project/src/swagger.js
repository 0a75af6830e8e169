import express from 'express';
import swagger from 'swagger-ui-express';
import { served } from './served.js';

/** The page of an API, with the scripts and styles of another package. */
export default async (ctx) => {
  const app = express();
  app.use('/docs', swagger.serve, swagger.setup({ openapi: '3.0.0', info: { title: 'a', version: '1' }, paths: {} }));
  const url = await served(app.listen(0));
  const files = ['', 'swagger-ui.css', 'swagger-ui-bundle.js'];
  const types = files.map(async (name) => (await fetch(`${url}docs/${name}`)).headers.get('content-type'));
  ctx.log.info((await Promise.all(types)).map((type) => type.split(';')[0]).join(' '));
};
