// A pod that asked for no memory at all has a limit, too.
export default () => {
  const all = [];
  for (;;) all.push({ x: Math.random(), y: String(Math.random()) });
};
