import { describe, expect, it } from 'vitest';
import { KINDS, kindNamed, RESOURCES } from '../src/resources/index.js';

describe('the list of kinds', () => {
  it('knows each under one name, its plural and its short names, and no name means two', () => {
    const words = Object.values(KINDS).flatMap(({ kind, plural, aliases }) => [kind, plural, ...aliases]);
    expect(new Set(words).size).toBe(words.length);
    for (const { kind, plural, aliases } of Object.values(KINDS)) {
      for (const word of [kind, plural, ...aliases, plural.toUpperCase()]) expect(kindNamed(word)).toBe(kind);
    }
    expect(kindNamed('pigs')).toBeUndefined();
  });

  it.each(Object.values(RESOURCES))('$kind reads what names it, and nothing twice', (resource) => {
    const { kind, fields, nameColumn, idColumn, related } = resource;
    expect(RESOURCES[kind]).toBe(resource);
    expect(new Set(fields).size).toBe(fields.length);
    expect(fields).toContain(nameColumn);
    if (idColumn !== undefined) expect(fields).toContain(idColumn);
    for (const other of related) expect(RESOURCES[other.kind].fields).toContain(other.column);
  });

  it.each(Object.values(RESOURCES))('$kind has headings without spaces, and prose only at the end', ({ columns }) => {
    for (const { header } of columns) expect(header).toMatch(/^[A-Z-]+$/);
    expect(columns.slice(0, -1).filter(({ prose }) => prose)).toEqual([]);
  });

  it.each(Object.values(RESOURCES).filter(({ remove }) => remove !== undefined))(
    '$kind is removed by one call of a function',
    ({ remove, ...resource }) => {
      const calls: unknown[] = [];
      const row = Object.fromEntries(resource.fields.map((field) => [field, `the ${field}`]));
      void remove?.run(
        (fn, args) => {
          calls.push([fn, args]);
          return new Promise(() => {});
        },
        row,
        { force: true },
      );
      expect(calls).toHaveLength(1);
      expect(calls).toMatchObject([[remove?.fn, expect.any(Object)]]);
      expect(JSON.stringify(calls)).toContain('the ');
    },
  );
});
