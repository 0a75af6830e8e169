/** Hash of the sources of all functions. Written by npm run types; do not edit. */
export const VERSION = '732700f48146';
