/** Cannot even be loaded. */
throw new Error('thrown while loading');
export default () => {};
