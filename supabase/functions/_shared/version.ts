/** Hash of the sources of all functions. Written by npm run types; do not edit. */
export const VERSION = '37310d91b5d5';
