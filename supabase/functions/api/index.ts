import { healthOf } from '../_shared/health.ts';
import { serveRoutes } from '../_shared/http.ts';
import { postJoin } from './join.ts';
import { getSetup, postSetup } from './setup.ts';
import { postUser } from './users.ts';
import { postVault } from './vault.ts';

Deno.serve(
  serveRoutes('api', {
    '/auth/setup': { methods: { GET: getSetup, POST: postSetup }, pages: 'none' },
    '/auth/users': { methods: { POST: postUser }, pages: 'with key' },
    '/health': { methods: { GET: healthOf('api') }, pages: 'none', keyless: true },
    '/nodes/join': { methods: { POST: postJoin }, pages: 'with key' },
    '/vault': { methods: { POST: postVault }, pages: 'none' },
  }),
);
