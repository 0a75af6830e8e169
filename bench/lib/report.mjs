/** The report as text: one line a result, the aim beside it when there is one. */
export function table({ title, seconds, machine, notes, results }) {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(({ name, value, unit, aim, met }) => {
    const target = aim === undefined ? '' : `   aim ${aim}: ${met ? 'met' : 'MISSED'}`;
    return `  ${name.padEnd(width)}  ${format(value).padStart(10)} ${unit}${target}`;
  });
  return [
    title,
    `  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryMb} MB, ${machine.platform}, Node.js ${machine.node}, commit ${machine.commit}, load ${machine.loadAverage[0]}, took ${seconds} s`,
    ...notes.map((note) => `  ${note}`),
    '',
    ...lines,
  ].join('\n');
}

function format(value) {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}
