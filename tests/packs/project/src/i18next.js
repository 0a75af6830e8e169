import { join } from 'node:path';
import i18next from 'i18next';
import Backend from 'i18next-fs-backend';

/** i18next reads its words from files by a path with places to fill in. */
export default async (ctx) => {
  const loadPath = join(import.meta.dirname, 'locales/{{lng}}/{{ns}}.json');
  await i18next.use(Backend).init({ lng: 'de', ns: ['words'], defaultNS: 'words', backend: { loadPath } });
  ctx.log.info(i18next.t('hi'));
};
