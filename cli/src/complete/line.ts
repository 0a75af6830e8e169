/** A command line up to the cursor, as far as completion has to understand it. */
export interface TypedLine {
  /** The finished words behind the name of the program. */
  words: readonly string[];
  /** The word at the cursor, empty when a space was typed last. */
  current: string;
}

/** Reads a line up to the cursor into words, as a shell would; a quote that is still open ends where the line does. */
export function typedLine(line: string): TypedLine {
  const words: string[] = [];
  let word = '';
  let isOpen = false;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const letter = line[at] ?? '';
    if (quote !== '') {
      if (letter === quote) quote = '';
      else word += letter;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      isOpen = true;
    } else if (letter === '\\') {
      word += line[++at] ?? '';
      isOpen = true;
    } else if (/\s/.test(letter)) {
      if (isOpen) words.push(word);
      word = '';
      isOpen = false;
    } else {
      word += letter;
      isOpen = true;
    }
  }
  // What stands behind the last separator is another command.
  const begin = words.findLastIndex((one) => /^(\|\|?|&&?|;)$/.test(one)) + 1;
  return { words: words.slice(begin + 1), current: isOpen ? word : '' };
}
