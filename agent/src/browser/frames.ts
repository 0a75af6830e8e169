/** Put in when the agent is bundled: the script of a pod's frame. */
declare const POD_FRAME_SOURCE: string;

/** The frames of the pods in this page. Each has an origin of its own, so nothing in it reaches what the page stores. */
export class PodFrames {
  readonly #frames = new Map<string, HTMLIFrameElement>();

  constructor(
    /** Where pods that have something to show are shown; the others are not seen. */
    private readonly container: HTMLElement | undefined,
  ) {}

  open(name: string, ports: readonly MessagePort[]): void {
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts allow-forms');
    frame.title = 'pod';
    frame.hidden = true;
    frame.srcdoc = `<!doctype html><meta charset="utf-8"><body><script>${POD_FRAME_SOURCE.replaceAll('</', '<\\/')}</script>`;
    frame.addEventListener('load', () => frame.contentWindow?.postMessage(null, '*', [...ports]), { once: true });
    this.#frames.set(name, frame);
    (this.container ?? document.body).append(frame);
  }

  show(name: string): void {
    const frame = this.#frames.get(name);
    if (frame !== undefined && this.container !== undefined) frame.hidden = false;
  }

  close(name: string): void {
    this.#frames.get(name)?.remove();
    this.#frames.delete(name);
  }

  closeAll(): void {
    for (const name of [...this.#frames.keys()]) this.close(name);
  }
}
