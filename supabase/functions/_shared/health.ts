import { type Handler, json } from './http.ts';
import { VERSION } from './version.ts';

/** `GET /health`: that the function is deployed, and of which sources. For anybody: stark doctor asks before anyone is signed in. */
export function healthOf(name: string): Handler {
  return () => json({ status: 'ok', function: name, version: VERSION });
}
