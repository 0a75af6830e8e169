import { type AnyRow, RESOURCES, type Resource } from '@stark-o/core/resources';
import { StarkCommand } from '../base/command.js';
import type { View } from '../base/output.js';

const sourceOf = ({ source }: Resource<AnyRow>) => ('fn' in source ? `rpc/${source.fn}` : source.table);

const view: View<Resource<AnyRow>> = {
  kind: 'kind',
  name: ({ kind }) => kind,
  object: (resource) => ({
    kind: resource.kind,
    plural: resource.plural,
    short_names: resource.aliases,
    namespaced: resource.namespaced,
    source: sourceOf(resource),
    conditions: resource.conditions.map(({ name }) => name),
    delete: resource.remove?.fn ?? null,
    summary: resource.summary,
  }),
  columns: [
    { header: 'NAME', value: ({ plural }) => plural },
    { header: 'SHORT', value: ({ aliases }) => aliases },
    { header: 'NAMESPACED', value: ({ namespaced }) => namespaced },
    { header: 'KIND', value: ({ kind }) => kind },
    { header: 'READ-FROM', value: sourceOf, wide: true },
    { header: 'CONDITIONS', value: ({ conditions }) => conditions.map(({ name }) => name), wide: true },
    { header: 'DELETED-BY', value: ({ remove }) => remove?.fn, wide: true },
    { header: 'WHAT', value: ({ summary }) => summary, prose: true },
  ],
};

export default class ApiResources extends StarkCommand<typeof ApiResources> {
  static override summary = 'List the kinds of things that there are, and their short names.';
  static override examples = ['<%= config.bin %> api-resources', '<%= config.bin %> api-resources --output wide'];

  async run(): Promise<void> {
    await this.printList(view, Object.values(RESOURCES));
  }
}
