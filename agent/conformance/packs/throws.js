/** Throws before anything else. */
export default () => {
  throw new TypeError('thrown at once');
};
