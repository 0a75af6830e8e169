// Writes core/project.schema.json: the JSON Schema of stark.yaml and stark.config.ts, made from the checks that read them. With --check it
// writes nothing and fails when the file differs. Part of npm run types, which compiles core first.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { isProgram, writeOrCheck } from './db/command-line.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export const schemaFile = join(root, 'core/project.schema.json');

/** The JSON Schema of a project, as a text. */
export async function projectJsonSchema() {
  const [{ projectSchema }, { podSpecSchema }] = await Promise.all([
    import('../core/dist/index.js'),
    import('../core/dist/manifests/pod.js'),
  ]);
  const schema = toJsonSchema(projectSchema, {
    target: 'draft-2020-12',
    typeMode: 'input',
    definitions: { podSpec: podSpecSchema },
    // Rules that only code can say are left to it.
    errorMode: 'ignore',
    overrideSchema: ({ valibotSchema, jsonSchema }) =>
      valibotSchema.type === 'custom' ? { type: 'object' } : jsonSchema,
  });
  const { $schema, ...rest } = schema;
  const project = { $schema, $id: 'stark:project/v1', title: 'Stark: what should be', ...rest };
  return `${JSON.stringify(project, null, 2)}\n`;
}

if (isProgram(import.meta.url)) await writeOrCheck(schemaFile, await projectJsonSchema(), 'npm run types');
