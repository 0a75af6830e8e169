import { StarkError } from '@stark-o/core/errors';
import { parse, serialize, type DefaultTreeAdapterTypes as Tree, defaultTreeAdapter as tree } from 'parse5';
import { typeOf } from './files.js';
import type { Site } from './site.js';

type Element = Tree.Element;

/** How each tool is told to put everything into one page. */
const remedies: Record<Site['kind'], { chunks: string; assets: string; server: string }> = {
  nuxt: {
    chunks: 'in nuxt.config.ts: vite: { build: { rollupOptions: { output: { inlineDynamicImports: true } } } }',
    assets: 'put it into app/assets and import it, with vite.build.assetsInlineLimit above its size in nuxt.config.ts',
    server: 'in nuxt.config.ts: ssr: false',
  },
  vite: {
    chunks: 'in vite.config.ts: build: { rollupOptions: { output: { inlineDynamicImports: true } } }',
    assets: 'put it into src and import it, with build.assetsInlineLimit above its size in vite.config.ts',
    server: 'leave server rendering away',
  },
  static: {
    chunks: 'bundle the scripts into one file',
    assets: 'write it into the page as a data: address',
    server: 'leave server rendering away',
  },
};

/**
 * The index page with everything it needs inside. A browser node shows it in a frame without an origin, where no second
 * file can be fetched; so what the page would fetch later is refused here, by name.
 */
export function onePage(site: Site, index: string, files: ReadonlyMap<string, Buffer>): string {
  return new Page(site, index, files).text();
}

class Page {
  /** Files that are in the page already, with their text when it may speak of others. */
  readonly #inside = new Map<string, string>();
  /** Scripts that wait for the page to be there, which those without an address do not. */
  readonly #deferred: Element[] = [];

  constructor(
    private readonly site: Site,
    private readonly index: string,
    private readonly files: ReadonlyMap<string, Buffer>,
  ) {}

  text(): string {
    const document = parse(String(this.files.get(this.index)));
    for (const element of [...elements(document)]) this.#takeIn(element);
    this.#refuseLaterFetches();
    const [head, body] = ['head', 'body'].map((name) =>
      [...elements(document)].find(({ tagName }) => tagName === name),
    );
    if (head === undefined || body === undefined) throw new Error('the parser makes a head and a body of any text');
    for (const script of this.#deferred) {
      tree.detachNode(script);
      tree.appendChild(body, script);
    }
    // Addresses would otherwise count from the page around the frame.
    const base = tree.createElement('base', head.namespaceURI, [{ name: 'href', value: 'about:srcdoc' }]);
    const first = tree.getFirstChild(head);
    if (first === null) tree.appendChild(head, base);
    else tree.insertBefore(head, base, first);
    return serialize(document);
  }

  #takeIn(element: Element): void {
    const { tagName } = element;
    if (tagName === 'script') this.#takeScript(element);
    else if (tagName === 'link') this.#takeLink(element);
    else if (tagName === 'base') tree.detachNode(element);
    else for (const name of ['src', 'poster']) this.#takePicture(element, name);
  }

  #takeScript(script: Element): void {
    // Says where scripts beside this page are, and there are none.
    if (attribute(script, 'type') === 'importmap') tree.detachNode(script);
    if (attribute(script, 'data-ssr') === 'true') {
      throw this.#refused(`${this.index} was rendered on a server and fetches its data`, 'server');
    }
    const path = this.#local(attribute(script, 'src'));
    if (path === undefined) return;
    const code = String(this.files.get(path));
    this.#inside.set(path, code);
    for (const name of ['src', 'crossorigin', 'integrity']) drop(script, name);
    // The parser would take the first of these for the end of the script.
    tree.insertText(script, code.replaceAll(/<(?=\/script|!--)/gi, '\\x3C'));
    if (attribute(script, 'type') !== 'module' && attribute(script, 'defer') !== undefined) this.#deferred.push(script);
  }

  #takeLink(link: Element): void {
    const path = this.#local(attribute(link, 'href'));
    if (path === undefined) return;
    const kind = attribute(link, 'rel') ?? '';
    if (kind === 'stylesheet') {
      const text = String(this.files.get(path));
      this.#inside.set(path, text);
      const media = attribute(link, 'media');
      const style = tree.createElement('style', link.namespaceURI, media ? [{ name: 'media', value: media }] : []);
      tree.insertText(style, text.replaceAll(/<\/(?=style)/gi, '<\\/'));
      tree.insertBefore(link.parentNode as Element, style, link);
      tree.detachNode(link);
    } else if (/\bicon\b/.test(kind)) this.#takePicture(link, 'href');
    else tree.detachNode(link);
  }

  #takePicture(element: Element, name: string): void {
    const path = this.#local(attribute(element, name));
    if (path === undefined || path.endsWith('.html')) return;
    const content = this.files.get(path) as Buffer;
    this.#inside.set(path, '');
    const found = element.attrs.find((one) => one.name === name) as { value: string };
    found.value = `data:${typeOf(path).replaceAll(' ', '')};base64,${content.toString('base64')}`;
  }

  // Whatever of the site's other files the scripts and styles speak of by name would be looked for when they run.
  #refuseLaterFetches(): void {
    for (const [path] of this.files) {
      if (this.#inside.has(path) || path.endsWith('.html')) continue;
      const name = path.slice(path.lastIndexOf('/') + 1);
      const speaker = [...this.#inside].find(([, text]) => text.includes(name))?.[0];
      if (speaker === undefined) continue;
      const isCode = /\.([cm]?js|css)$/.test(path);
      throw this.#refused(`${speaker} fetches ${path}`, isCode ? 'chunks' : 'assets');
    }
  }

  #refused(problem: string, remedy: 'chunks' | 'assets' | 'server'): StarkError {
    return new StarkError(`the site in ${this.site.directory} is not one page: ${problem}`, {
      code: 'BUNDLE_INVALID',
      hint: `${remedies[this.site.kind][remedy]}; or --runtime node, where files are served one by one`,
    });
  }

  /** The path of a file of this site; nothing for addresses elsewhere, and for none. */
  #local(address: string | undefined): string | undefined {
    if (address === undefined) return undefined;
    const here = `http://site.invalid/${this.index}`;
    const { origin, pathname } = new URL(address, here);
    const path = decodeURIComponent(pathname).slice(1);
    return origin === 'http://site.invalid' && this.files.has(path) ? path : undefined;
  }
}

function* elements(node: Tree.ParentNode): Generator<Element> {
  for (const child of node.childNodes) {
    if (!tree.isElementNode(child)) continue;
    yield child;
    yield* elements(child);
  }
}

const attribute = (element: Element, name: string) => element.attrs.find((one) => one.name === name)?.value;

function drop(element: Element, name: string): void {
  element.attrs = element.attrs.filter((one) => one.name !== name);
}
