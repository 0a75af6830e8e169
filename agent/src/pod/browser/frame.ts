// The script of a pod's frame. The frame has an origin of its own that nothing else shares, and so has its worker:
// neither reaches what the page around it stores, or any other frame.
import type { FromFrame, PageToShow, ToFrame } from './protocol.js';

/** Put in when the agent is bundled: the program of the worker. */
declare const POD_WORKER_SOURCE: string;

addEventListener(
  'message',
  ({ ports: [agent, pod] }) => {
    if (agent === undefined || pod === undefined) return;
    const say = (message: FromFrame) => agent.postMessage(message);
    agent.onmessage = ({ data }: MessageEvent<ToFrame>) => {
      if (data.type === 'ping') say({ type: 'pong' });
    };
    try {
      // As a data: address the worker is a secure context where this page is one; as a blob: one it would not be.
      const address = `data:text/javascript;charset=utf-8,${encodeURIComponent(POD_WORKER_SOURCE)}`;
      const worker = new Worker(address, { type: 'module' });
      worker.onerror = ({ message }) => {
        say({ type: 'failed', message: message ?? 'this page does not allow workers of data: addresses' });
      };
      worker.onmessage = ({ data }: MessageEvent<PageToShow>) => {
        if (data?.type !== 'show') return;
        show(String(data.page));
        say({ type: 'shows' });
      };
      worker.postMessage(null, [pod]);
    } catch (error) {
      say({ type: 'failed', message: String(error) });
    }
  },
  { once: true },
);

// In a frame of its own, so that the website cannot speak to the agent.
function show(page: string): void {
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-scripts allow-forms');
  frame.style.cssText = 'position: fixed; inset: 0; width: 100%; height: 100%; border: 0';
  frame.srcdoc = page;
  document.body.replaceChildren(frame);
}
