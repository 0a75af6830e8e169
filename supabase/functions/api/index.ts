import { serveRoutes } from '../_shared/http.ts';
import { postJoin } from './join.ts';
import { getSetup, postSetup } from './setup.ts';
import { postUser } from './users.ts';

Deno.serve(
  serveRoutes('api', {
    '/auth/setup': { GET: getSetup, POST: postSetup },
    '/auth/users': { POST: postUser },
    '/nodes/join': { POST: postJoin },
  }),
);
