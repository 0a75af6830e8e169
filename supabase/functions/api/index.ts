import { healthOf } from '../_shared/health.ts';
import { serveRoutes } from '../_shared/http.ts';
import { postJoin } from './join.ts';
import { getSetup, postSetup } from './setup.ts';
import { postUser } from './users.ts';
import { postVault } from './vault.ts';

Deno.serve(
  serveRoutes('api', {
    '/auth/setup': { GET: getSetup, POST: postSetup },
    '/auth/users': { POST: postUser },
    '/health': { GET: healthOf('api') },
    '/nodes/join': { POST: postJoin },
    '/vault': { POST: postVault },
  }),
);
